"""Command lines from dataclasses, by tyro, with mistakes said in one line."""

import dataclasses
import difflib
import sys
from ast import literal_eval
from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

import tyro
from tyro import _errors  # tyro calls this hook private; a test holds it in place

from ..errors import UserError

T = TypeVar("T")


def parse(kind: type[T], arguments: list[str], prog: str, description: str, default: T | None = None) -> T:
    """An instance of the dataclass `kind` as the arguments say.

    Raises:
        UserError: A flag or a value that cannot be, with the flag, the rule and the value.
    """
    options: dict[str, Any] = {} if default is None else {"default": default}

    def refuse(event: Any) -> NoReturn:
        raise UserError(_line(event, default, arguments))

    with _errors.on_parse_error(refuse):
        return tyro.cli(
            kind,
            args=list(_with_values(arguments, kind if default is None else default)),
            prog=prog,
            description=description,
            config=(tyro.conf.AvoidSubcommands, tyro.conf.FlagConversionOff),
            **options,
        )


def nearest(what: str, name: str, known: list[str]) -> str:
    """`name`, if it is known.

    Raises:
        UserError: It is not; the known names and the nearest one are said.
    """
    if name in known:
        return name
    close = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise UserError(f"{what} must be one of {', '.join(known)}, got {name!r}{hint}")


def _with_values(arguments: list[str], config: Any) -> Iterator[str]:
    """The arguments, with True behind a flag that is true or false and that stands by itself."""
    switches = {flag for flag, value in _flags(config) if isinstance(value, bool)}
    for argument, following in zip(arguments, [*arguments[1:], "--"], strict=False):
        yield argument
        if argument in switches and following.startswith("-"):
            yield "True"


def _line(event: Any, default: Any, arguments: list[str]) -> str:
    match event:
        case _errors.UnrecognizedArgs():
            tokens = " ".join(event.tokens)
            return f"{tokens!r} is not an argument of {event.prog!r}; {event.prog} --help lists them"
        case _errors.InvalidChoice():
            choices = ", ".join(event.choices)
            return f"{_flag(event.argument)} must be one of {choices}, got {event.value!r}"
        case _errors.BadValue():
            return f"{_flag(event.argument)} must have a value, got none"
        case _errors.MissingArgs():
            names = ", ".join(_flag(missing.arg) for missing in event.missing_arguments)
            return f"{names} must be given; {event.prog} --help says how"
        case _errors.InstantiationFailure() if event.argument is not None:
            return (
                f"{_flag(event.argument)} {_conversion(event.message, event.argument.lowered.metavar or '')}"
            )
        case _errors.InstantiationFailure():
            field, _, rule = event.message.partition(" ")
            return f"{_flag_of_field(field, default, arguments)} {rule}"
    return f"{type(event).__name__} in {' '.join(sys.argv[1:])!r}"


def _flag(argument: Any) -> str:
    return argument.lowered.name_or_flags[0] if argument.lowered.name_or_flags else argument.field.intern_name


def _conversion(message: str, form: str) -> str:
    """The rule behind Python's words for a value that does not convert."""
    for words, rule in (("invalid literal for int", "a whole number"), ("could not convert", "a number")):
        if words in message:
            return f"must be {rule}, got {message.rpartition(': ')[2]}"
    if "Could not find valid parse" in message:
        return f"must be of the form {form}, got {' '.join(literal_eval(message.rpartition(': ')[2]))}"
    return message


def _flag_of_field(field: str, default: Any, arguments: list[str]) -> str:
    """The flag that sets a field named in an error; one that was given goes before one that was not."""
    flags = [
        flag for flag, _ in _flags(default) if flag.rpartition(".")[2].lstrip("-") == field.replace("_", "-")
    ]
    given = [flag for flag in flags if any(argument.split("=")[0] == flag for argument in arguments)]
    return (given or flags or [f"--{field}"])[0]


def _flags(config: Any, prefix: str = "--") -> Iterator[tuple[str, Any]]:
    """Flags of a configuration, or of its class, and what they are without being given."""
    for field in dataclasses.fields(config) if dataclasses.is_dataclass(config) else ():
        flag, value = prefix + field.name.replace("_", "-"), getattr(config, field.name, None)
        yield flag, value
        yield from _flags(value, f"{flag}.")
