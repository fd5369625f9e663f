# Uses a printer as a program of the host does, by usblp: steps one after another,
# on one open file (linux/lp.h, drivers/usb/class/usblp.c).
#
#   perl usblp.pl NODE STEP...
#
#   id, status, reset   LPIOC_GET_DEVICE_ID, LPGETSTATUS, LPIOC_SOFT_RESET
#   abort               LPABORT: writes fail when there is no paper
#   write=FILE          writes a file, and prints how many bytes went
#   text=TEXT           writes a text
#   read                reads once, and prints it
use strict;
use warnings;
use Fcntl;

my ($node, @steps) = @ARGV;
$| = 1;
sysopen(my $printer, $node, O_RDWR) or die "open $node: $!\n";

sub control {
  my ($name, $request, $argument) = @_;
  defined ioctl($printer, $request, $_[2]) or die "$name: $!\n";
}

sub put {
  my ($data) = @_;
  my $done = 0;
  while ($done < length $data) {
    my $count = syswrite($printer, $data, length($data) - $done, $done);
    if (!defined $count) {
      print "$done: $!\n";
      return;
    }
    $done += $count;
  }
  print "$done\n";
}

for (@steps) {
  my ($step, $value) = split /=/, $_, 2;
  if ($step eq "id") {
    my $id = "\0" x 1024;
    control($step, 2 << 30 | 1024 << 16 | ord("P") << 8 | 1, $id);
    print substr($id, 2, unpack("n", $id) - 2), "\n";
  } elsif ($step eq "status") {
    my $status = "\0" x 4;
    control($step, 0x060b, $status);
    printf "%02x\n", unpack("i", $status);
  } elsif ($step eq "reset") {
    control($step, ord("P") << 8 | 7, 0);
  } elsif ($step eq "abort") {
    control($step, 0x0604, 1);
  } elsif ($step eq "write") {
    open(my $file, "<:raw", $value) or die "open $value: $!\n";
    local $/;
    put(scalar <$file>);
  } elsif ($step eq "text") {
    put($value);
  } elsif ($step eq "read") {
    defined sysread($printer, my $answer, 4096) or die "read: $!\n";
    print "$answer\n";
  } else {
    die "there is no step $step\n";
  }
}
