"""The command `studio`: the same actions and words as the app, for a terminal."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from studio import __version__
from studio.errors import StudioError

# Which module has which commands: only that one is imported, for some bring half a second of numpy.
PARTS = {
    "system": ("app", "worker", "serve", "backup", "restore", "doctor"),
    "demo": ("demo",),
    "tasks": ("task",),
    "labels": ("label",),
    "examples": ("import", "split"),
    "corrections": ("correct", "undo", "redo"),
    "rationales": ("rationale",),
    "rules": ("rule",),
    "prompts": ("prompt",),
    "runs": ("run",),
    "finetunes": ("trainingset", "finetune"),
    "evaluations": ("evaluate", "compare", "slices"),
    "agreement": ("agreement",),
    "assignments": ("assign",),
    "guidelines": ("guideline",),
    "queue": ("queue",),
    "stopwatch": ("stopwatch",),
    "reports": ("report",),
    "providers": ("provider",),
}
# How `studio --help` shows them: by what people come for, in the order of the work.
HEADINGS = {
    "Begin": ("app", "demo"),
    "Tasks and examples": ("task", "import", "split", "label"),
    "Reasons, rules, prompts": ("rationale", "rule", "prompt"),
    "Labeling, alone and with others": (
        "queue", "correct", "undo", "redo", "stopwatch", "assign", "agreement", "guideline",
    ),
    "Classifiers": ("run", "trainingset", "finetune"),
    "Figures and the decision": ("evaluate", "compare", "slices", "report"),
    "Services and upkeep": ("provider", "serve", "worker", "backup", "restore", "doctor"),
}  # fmt: skip


class _InOrder(TyperGroup):
    """The commands in the order of their headings."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return [name for names in HEADINGS.values() for name in names if name in self.commands]


def command_line(first_word: str = "") -> typer.Typer:
    """Return the command line, with all commands or with those of one module.

    Args:
        first_word: The command that is wanted; all where none has this name.
    """
    app = typer.Typer(
        cls=_InOrder,
        name="studio",
        help="Turn an expert's reasons into a measured text classifier and a decision.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    wanted = [part for part, commands in PARTS.items() if first_word in commands]
    for part in wanted or PARTS:
        importlib.import_module(f"studio.cli.{part}").register(app)
    heading = {name: title for title, names in HEADINGS.items() for name in names}
    for command in app.registered_commands:
        command.rich_help_panel = heading[str(command.name)]
    for group in app.registered_groups:
        group.rich_help_panel = heading[str(group.name)]
    return app


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command line; an error is one sentence on standard error and an exit code."""
    as_json = "--json" in sys.argv
    try:
        code = command_line(sys.argv[1] if len(sys.argv) > 1 else "")(standalone_mode=False)
    except StudioError as error:
        _tell(error.code, error.message, error.next_step, as_json)
        sys.exit(error.exit_code)
    except typer.Abort:
        _tell("interrupted", "Interrupted.", "Jobs go on in the worker.", as_json)
        sys.exit(1)
    except typer.TyperException as error:
        # Typer's errors of use carry the command they are about and a message of their own.
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "studio"
        if sentence := _sentence(error):  # without one, Typer has printed the help itself
            _tell("bad_use", sentence, f"See `{command} --help`.", as_json)
        sys.exit(2)
    except KeyboardInterrupt:
        _tell("interrupted", "Interrupted.", "Jobs go on in the worker.", as_json)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains at its end
        sys.exit(1)
    except UnicodeEncodeError:
        _tell("bad_use", "What was given is not valid UTF-8.", "Type it again.", as_json)
        sys.exit(2)
    except OverflowError:
        _tell("bad_use", "A number is larger than any there can be.", "Check it.", as_json)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _sentence(error: Exception) -> str:
    say = getattr(error, "format_message", None)
    return str(say() if say else error).strip()


def _tell(code: str, message: str, next_step: str, as_json: bool) -> None:
    from studio.cli.common import tamed

    if as_json:
        document = {"error": {"code": code, "message": message, "next": next_step}}
        said = json.dumps(document, ensure_ascii=False)
    else:
        said = f"Error: {message} {next_step}".strip()
    said = said.encode("utf-8", "backslashreplace").decode()  # half a character may be in it
    typer.echo(tamed(said) if sys.stderr.isatty() else said, err=True)


if __name__ == "__main__":
    main()
