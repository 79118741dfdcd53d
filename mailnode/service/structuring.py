"""Make settings of tables: our units, strict scalars, and every fault with its path.

The settings classes are the schema. Scalars are taken strictly (a bool is no int, a number is no string), and durations
and sizes are strings with their unit.
"""

import enum
import types
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any, Literal, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import AttributeValidationNote, ClassValidationError
from cattrs.gen import make_dict_structure_fn

from mailnode.gateways.settings import RESERVED, GatewaySettings
from mailnode.mail.quantity import Octets, Seconds, parse_octets, parse_seconds
from mailnode.service.faults import suggestion

_SCALARS: dict[type, str] = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def converter() -> Converter:
    """Make the converter that knows our units and takes nothing for what it is not."""
    made = Converter(forbid_extra_keys=True, detailed_validation=True)
    made.register_structure_hook_func(lambda cls: cls is object, lambda value, _: value)
    for kind, wanted in _SCALARS.items():
        made.register_structure_hook(kind, _strict(kind, wanted))
    made.register_structure_hook_func(lambda cls: cls is Seconds, _quantity(parse_seconds, 'a duration such as "15m"'))
    made.register_structure_hook_func(lambda cls: cls is Octets, _quantity(parse_octets, 'a size such as "25 MiB"'))
    made.register_structure_hook_func(_has_origin(Literal), _choice)
    made.register_structure_hook_func(lambda cls: isinstance(cls, enum.EnumMeta), _member)
    made.register_structure_hook_factory(_is_one_of(*_ARRAYS), _array(made))
    made.register_structure_hook_factory(_is_one_of(Mapping, dict), _mapping(made))
    made.register_structure_hook_factory(attrs.has, _table(made))
    common = made.get_structure_hook(GatewaySettings)
    made.register_structure_hook(GatewaySettings, lambda value, cls: common(_parted(value), cls))
    return made


def _parted(value: object) -> object:
    """Put a gateway's own keys apart from those that every gateway has; what they mean is seen when its kind is loaded."""
    if not isinstance(value, dict):
        return value
    common = {key: one for key, one in value.items() if key in RESERVED}
    return common | {"own": {key: one for key, one in value.items() if key not in RESERVED}}


def _has_origin(*origins: object) -> Callable[[Any], bool]:
    return lambda cls: get_origin(cls) in origins


def _is_one_of(*kinds: object) -> Callable[[Any], bool]:
    """Tell whether a type is one of these, with its members' types or without."""
    return lambda cls: (get_origin(cls) or cls) in kinds


def shown(value: object) -> str:
    """Show what was found, short enough for one line."""
    match value:
        case bool():
            text = str(value).lower()
        case dict():
            text = "a table"
        case list():
            text = "a list"
        case str():
            text = f'"{value}"'
        case _:
            text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _strict(kind: type, wanted: str) -> Callable[[object, type], object]:
    def structure(value: object, _: type) -> object:
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise ValueError(f"expected {wanted}, not {shown(value)}")
        return value

    return structure


def _quantity(read: Callable[[str], object], wanted: str) -> Callable[[object, type], object]:
    def structure(value: object, _: type) -> object:
        if not isinstance(value, str):
            raise ValueError(f"expected {wanted}, in quotes and with its unit, not {shown(value)}")  # noqa: TRY004
        return read(value)

    return structure


def _choice(value: object, cls: Any) -> object:
    words = get_args(cls)
    for word in words:
        if value == word and type(value) is type(word):
            return word
    raise ValueError(f"expected one of {', '.join(map(str, words))}, not {shown(value)}; {_near(value, words)}")


def _member(value: object, cls: type[enum.Enum]) -> enum.Enum:
    words = {str(member.value): member for member in cls}
    if isinstance(value, str) and value in words:
        return words[value]
    raise ValueError(f"expected one of {', '.join(words)}, not {shown(value)}; {_near(value, words)}")


def _near(value: object, words: Any) -> str:
    return suggestion(str(value), map(str, words))


Structure = Callable[[object, Any], Any]

_ARRAYS: Mapping[Any, Callable[[Any], object]] = {
    tuple: tuple, frozenset: frozenset, list: list, set: set, Sequence: tuple,
}  # fmt: skip
"""Types that a list of the file may become, each with what makes it; the last three are what gateways' authors write."""


def _array(outer: Converter) -> Callable[[Any], Structure]:
    def make(cls: Any) -> Structure:
        made, member = _ARRAYS[get_origin(cls) or cls], (get_args(cls) or (object,))[0]
        members = cast("Any", types.GenericAlias(MutableSequence, (member,)))  # a list would come back here

        def structure(value: object, _: Any) -> object:
            if not isinstance(value, list):
                raise ValueError(_not_a_list(value, member))  # noqa: TRY004 - a fault of the file, not of our types
            return made(outer.structure(value, members))

        return structure

    return make


def _not_a_list(value: object, member: Any) -> str:
    if attrs.has(member) and isinstance(value, dict):
        return "may stand more than once: write its heading in double brackets, [[...]]"
    return f"expected a list in brackets, not {shown(value)}"


def _mapping(outer: Converter) -> Callable[[Any], Structure]:
    def make(cls: Any) -> Structure:
        member = (get_args(cls) or (str, object))[1]
        members = cast("Any", types.GenericAlias(MutableMapping, (str, member)))  # a dict would come back here

        def structure(value: object, _: Any) -> object:
            if not isinstance(value, dict):
                raise ValueError(f"expected a table of names and values, not {shown(value)}")  # noqa: TRY004
            return outer.structure(value, members)

        return structure

    return make


def _table(outer: Converter) -> Callable[[Any], Structure]:
    def make(cls: Any) -> Structure:
        fill = make_dict_structure_fn(cls, outer, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True)

        def structure(value: object, kind: Any) -> object:
            if isinstance(value, list):
                raise ValueError("stands only once: write its heading in single brackets, [...]")  # noqa: TRY004
            if not isinstance(value, dict):
                raise ValueError(f"expected a table of settings, not {shown(value)}")  # noqa: TRY004
            return _validated(fill(value, kind))

        return structure

    return make


def _validated(settings: Any) -> Any:
    """Run the validators of all fields and raise what they say as cattrs would."""
    problems: list[Exception] = []
    for field in attrs.fields(type(settings)):
        if field.validator is None:
            continue
        try:
            field.validator(settings, field, getattr(settings, field.name))
        except Exception as error:  # noqa: BLE001 - a validator may raise anything; it is its way to say no
            error.add_note(AttributeValidationNote("", field.name, field.type))
            problems.append(error)
    if problems:
        raise ClassValidationError("not valid", problems, type(settings))
    return settings
