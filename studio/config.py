"""Every setting, in one table: name, default, environment variable, help. Docs are made from it."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from studio.errors import InputError


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: attribute name, environment variable, default as text, and what it is for."""

    name: str
    env: str
    default: str
    help: str


SETTINGS = (
    Setting("workspace", "STUDIO_WORKSPACE", "studio.db", "The workspace file."),
    Setting(
        "worker", "STUDIO_WORKER", "auto",
        "auto: the app and the command line start the job worker; external: you start `studio worker`.",
    ),
    Setting("provider", "STUDIO_PROVIDER", "embedded", "The provider a run uses when none is named."),
    Setting("encoder", "STUDIO_ENCODER", "", "Folder or file of another ONNX encoder for the embedded server."),
    Setting("concurrency", "STUDIO_CONCURRENCY", "16", "Questions in flight at once in a run."),
    Setting("timeout_s", "STUDIO_TIMEOUT", "60", "Seconds to wait for one answer of a provider."),
    Setting("person", "STUDIO_PERSON", "", "Who the command line acts as; the login name when empty."),
    Setting("expert_usd_hour", "STUDIO_EXPERT_USD_HOUR", "60", "What an hour of the expert costs, for the report."),
    Setting("analyst_usd_hour", "STUDIO_ANALYST_USD_HOUR", "60", "What an hour of an ML expert or analyst costs."),
    Setting("annotator_usd_hour", "STUDIO_ANNOTATOR_USD_HOUR", "20", "What an hour of an annotator costs."),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force; see `SETTINGS` for their meaning."""

    workspace: Path
    worker: str
    provider: str
    encoder: str
    concurrency: int
    timeout_s: float
    person: str
    expert_usd_hour: float
    analyst_usd_hour: float
    annotator_usd_hour: float

    @property
    def embedded_folder(self) -> Path:
        """Where the embedded server keeps its files: beside the workspace."""
        return self.workspace.with_name(self.workspace.name + ".embedded")

    @property
    def worker_log(self) -> Path:
        """Where the worker writes what it does."""
        return self.workspace.with_name(self.workspace.name + ".worker.log")


def load_settings(
    environ: Mapping[str, str] | None = None, *, workspace: Path | None = None
) -> Settings:
    """Return the settings from the environment, with a workspace that was named winning.

    Raises:
        InputError: If a number cannot be read or `STUDIO_WORKER` is neither auto nor external.

    >>> load_settings({"STUDIO_CONCURRENCY": "4"}).concurrency
    4
    """
    environ = os.environ if environ is None else environ
    values: dict[str, object] = {}
    kinds = {field.name: field.type for field in fields(Settings)}
    for setting in SETTINGS:
        text = environ.get(setting.env) or setting.default
        values[setting.name] = _convert(setting, text, str(kinds[setting.name]))
    if workspace is not None:
        values["workspace"] = workspace
    try:
        # One file has one name, whatever links lead to it: lock, log and models stand beside it.
        values["workspace"] = Path(os.path.realpath(Path(str(values["workspace"])).expanduser()))
    except RuntimeError:
        raise InputError(
            f"The home folder in {str(values['workspace'])!r} is unknown.",
            next_step="Write the whole path of the workspace.",
        ) from None
    return Settings(**values)  # type: ignore[arg-type]


def _convert(setting: Setting, text: str, kind: str) -> object:
    try:
        value: object = int(text) if kind == "int" else float(text) if kind == "float" else text
    except ValueError:
        raise InputError(
            f"{setting.env}={text!r} is not a number.",
            next_step=f"{setting.help} E.g. {setting.default}.",
        ) from None
    if setting.name == "worker" and text not in ("auto", "external"):
        raise InputError(f"{setting.env}={text!r} is not known.", next_step="Use auto or external.")
    if isinstance(value, int | float) and not (0 < value < math.inf):
        raise InputError(f"{setting.env}={text!r} must be above 0.", next_step=setting.help)
    return value


def app_folder() -> Path:
    """Return where app.py, pages/ and data/ are: in the installed package, else in the checkout."""
    packaged = Path(__file__).parent / "_app"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent


def data_folder() -> Path:
    """Return the folder of the data that comes with the studio."""
    return app_folder() / "data"


class Secret(str):
    """A secret that shows itself to nobody who only looks at variables, as a crash report does.

    >>> Secret("sk-1"), f"Bearer {Secret('sk-1')}"
    (<secret>, 'Bearer sk-1')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>" if self else "''"


def find_key(
    name: str, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Secret:
    """Return the secret of this name from the environment or `.streamlit/secrets.toml`; else "".

    A key is looked up when it is needed and never stored, logged or shown.
    """
    environ = os.environ if environ is None else environ
    if not name:
        return Secret()
    if told := environ.get(name):
        return Secret(told)
    del environ  # what is raised below must not carry everything that stands in it
    try:
        path = (folder or Path.cwd()) / ".streamlit" / "secrets.toml"
        value = tomllib.loads(path.read_text(encoding="utf-8")).get(name, "")
    except (OSError, ValueError):  # not there, not UTF-8, or not TOML
        return Secret()
    return Secret(value) if isinstance(value, str) else Secret()
