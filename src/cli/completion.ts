/**
 * Completion of commands in shells.
 *
 * @module
 */
import type { Commands } from "./command.ts";

/**
 * A script that makes bash, and zsh by its emulation of bash's completion,
 * complete the commands of a program.
 */
export function completionScript(program: string, commands: Commands): string {
  const identifier = `_${program.replace(/\W/g, "_")}`;
  const cases = Object.entries(commands).map(([name, each]) => {
    const options = ["json", ...Object.keys(each.options ?? {})];
    const action = { FILE: "files", NAME: "names" };
    const words = options.map((it) => `--${it}`).join(" ");
    const kind = each.operand === undefined
      ? "none"
      : action[each.operand.name];
    return `    ${name}) options="${words}" operand=${kind} ;;`;
  });
  const names = Object.keys(commands).join(" ");
  return `if [ -n "$ZSH_VERSION" ]; then
  autoload -U +X bashcompinit && bashcompinit
fi
${identifier}() {
  local word=\${COMP_WORDS[COMP_CWORD]} options="" operand=none gadget
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names} --help" -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *)
      case $operand in
        files) COMPREPLY=($(compgen -f -- "$word")) ;;
        names)
          for gadget in /sys/kernel/config/usb_gadget/*; do
            [ -d "$gadget" ] || continue
            COMPREPLY+=($(compgen -W "\${gadget##*/}" -- "$word"))
          done ;;
      esac ;;
  esac
}
complete -F ${identifier} ${program}`;
}
