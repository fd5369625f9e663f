//! A gadget on the crate `usb-gadget`, by its blocking calls, one thread for
//! each direction. See gadget.h for what it says and is told.
//!
//!     bench-gadget MOUNT SIZE DEPTH
//!
//! The depth of a queue is settled when its endpoint is made, so there is one
//! process for each.

use bytes::{Bytes, BytesMut};
use std::io::{BufRead, Result};
use std::thread;
use usb_gadget::function::custom::{
    Custom, Endpoint, EndpointDirection, EndpointReceiver, EndpointSender, Interface,
};
use usb_gadget::Class;

fn send(tx: &mut EndpointSender, size: usize, count: usize) -> Result<()> {
    let data = Bytes::from(vec![0u8; size]);
    for _ in 0..count {
        tx.send(data.clone())?;
    }
    tx.flush()
}

fn receive(rx: &mut EndpointReceiver, size: usize, count: usize) -> Result<()> {
    let mut to_submit = count;
    while to_submit > 0 && rx.is_ready() {
        to_submit -= 1;
        rx.try_recv(BytesMut::with_capacity(size))?;
    }
    for _ in 0..count {
        let mut data = rx.fetch()?.expect("nothing is queued");
        assert_eq!(data.len(), size);
        if to_submit > 0 {
            to_submit -= 1;
            data.clear();
            rx.try_recv(data)?;
        }
    }
    Ok(())
}

fn ping(tx: &mut EndpointSender, rx: &mut EndpointReceiver, size: usize, count: usize) -> Result<()> {
    for _ in 0..count {
        let data = rx.recv_and_fetch(BytesMut::with_capacity(size.max(1024)))?;
        tx.send_and_flush(data.freeze())?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let depth: u32 = args[3].parse().expect("a depth");
    let (mut tx, in_direction) = EndpointDirection::device_to_host();
    let (mut rx, out_direction) = EndpointDirection::host_to_device();
    let mut custom = Custom::builder()
        .with_interface(
            Interface::new(Class::vendor_specific(0, 0), "bench")
                .with_endpoint(Endpoint::bulk(in_direction.with_queue_len(depth)))
                .with_endpoint(Endpoint::bulk(out_direction.with_queue_len(depth))),
        )
        .existing(&args[1])?;
    println!("open");
    thread::spawn(move || while custom.event().is_ok() {});

    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let size: usize = words[1].parse().expect("a size");
        let count: usize = words[3].parse().expect("a count");
        println!("ready");
        match words[0] {
            "in" => send(&mut tx, size, count)?,
            "out" => receive(&mut rx, size, count)?,
            "ping" => ping(&mut tx, &mut rx, size, count)?,
            _ => thread::scope(|scope| {
                let sender = scope.spawn(|| send(&mut tx, size, count));
                let receiver = receive(&mut rx, size, count);
                sender.join().expect("the sender panicked").and(receiver)
            })?,
        }
        println!("done");
    }
    // Dropping the queues would wait for the host.
    std::process::exit(0);
}
