"""Completes commands, options and settings by the Tab key: prints a script for your shell.

bash:  eval "$(trialsim completion bash)"        in ~/.bashrc
zsh:   eval "$(trialsim completion zsh)"         in ~/.zshrc, after compinit
fish:  trialsim completion fish | source         in ~/.config/fish/config.fish
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import re
import sys

from trialsim.schema import ConfigError

SUMMARY = "complete commands and settings by the Tab key in bash, zsh or fish"

# The shell hands over the line up to the cursor and takes what comes back, one word a line, without looking into it: a wordlist of
# bash's compgen would be expanded, and names may come from files of others.
BASH = r"""_trialsim() {
  local line="${COMP_LINE:0:COMP_POINT}" found head=""
  local word="${line##* }"
  # bash puts its words in place of what follows the last =
  case "$word" in *=*) case "$COMP_WORDBREAKS" in *=*) head="${word%=*}=" ;; esac ;; esac
  COMPREPLY=()
  while IFS= read -r found; do COMPREPLY+=("${found#"$head"}"); done < <("${COMP_WORDS[0]}" completion --line "$line" 2>/dev/null)
  # a whole word is followed by a space, the beginning of a setting is not
  if [ "${#COMPREPLY[@]}" = 1 ]; then case "${COMPREPLY[0]}" in *=|*.|*/) ;; *) COMPREPLY[0]+=" " ;; esac; fi
}
complete -o nospace -o default -F _trialsim trialsim
"""
ZSH = r"""_trialsim() {
  local -a found
  local line="${LBUFFER}"
  found=("${(@f)$("${words[1]}" completion --line "$line" 2>/dev/null)}")
  [[ -n "$found" ]] && compadd -Q -S '' -- "${found[@]}" || _files
}
compdef _trialsim trialsim
"""
FISH = r"""complete -c trialsim -a '(trialsim completion --line (commandline -cp | string collect) 2>/dev/null)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
OPTION = re.compile(r"--[a-z][a-z-]+")
WORD = re.compile(r"[\w.,:/@~+\[\]=-]+")  # all that a setting or option is made of, and nothing that a shell would act on


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", nargs="?", choices=tuple(SCRIPTS), help="bash, zsh or fish")
    parser.add_argument("--line", metavar="LINE", help="what is typed so far: prints the words that may stand at its end")


def run(given: argparse.Namespace) -> int:
    if given.line is not None:
        sys.stdout.writelines(f"{word}\n" for word in candidates(given.line))
    elif given.shell is not None:
        sys.stdout.write(SCRIPTS[given.shell])
    else:
        raise ConfigError("SHELL", None, f"one of {', '.join(SCRIPTS)}")
    return 0


def candidates(line: str) -> list[str]:
    """Words that may stand at the end of a line that begins with ``trialsim``, in place of its last word.

    Empty where a file may stand: the shell knows those.
    """
    from trialsim.cli.trial_file import shipped
    from trialsim.commands import COMMANDS
    from trialsim.commands.predict import KEY

    *before, word = (line.lstrip() or "trialsim").split(" ")
    typed = [item for item in before[1:] if item]
    if typed and typed[0] in COMMANDS:
        found = _options(typed[0]) if word.startswith("-") else []
        if typed[0] == "predict" and word.startswith(KEY[: max(len(word), 1)]):
            found = [f"{KEY}{name}" for name in shipped()]
    else:
        found = _settings([item for item in typed if item != "run"], word)
        found += ["run", *COMMANDS] if not typed else []
    return sorted({item for item in found if item.startswith(word) and WORD.fullmatch(item)})


def _options(name: str) -> list[str]:
    """The options of a command, as its help names them."""
    parser = argparse.ArgumentParser(prog=f"trialsim {name}")
    importlib.import_module(f"trialsim.commands.{name}").arguments(parser)
    return OPTION.findall(parser.format_help())


def _settings(typed: list[str], word: str) -> list[str]:
    """What Hydra knows of the settings, for the words before and the one at the cursor."""
    from trialsim.cli.run import run as run_hydra

    os.environ["COMP_LINE"] = " ".join(["trialsim", *(item for item in typed if item not in ("-m", "--multirun")), word])
    with contextlib.redirect_stdout(io.StringIO()) as told:
        run_hydra(["-sc", "query=bash"])
    return told.getvalue().split()
