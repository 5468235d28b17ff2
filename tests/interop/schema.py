"""As much of JSON Schema as docs/lockstep.schema.json uses. A keyword that is not known here is an error, so that none is
taken for checked that is not."""

import json
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "lockstep.schema.json")

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
}
ANNOTATIONS = {"$schema", "$defs", "title", "description"}


class Schema:
    def __init__(self):
        with open(PATH, encoding="utf-8") as file:
            self.root = json.load(file)

    def problems(self, value, name):
        """What is wrong with a document that is to be the one of this name in $defs."""
        return list(self._problems(value, self.root["$defs"][name], name))

    def _problems(self, value, schema, where):
        for keyword, argument in schema.items():
            if keyword in ANNOTATIONS:
                continue
            check = getattr(self, "_" + keyword.replace("$", ""), None)
            if check is None:
                raise ValueError(f"the validator does not know {keyword}")
            yield from check(value, argument, where, schema)

    def _ref(self, value, argument, where, _):
        yield from self._problems(value, self.root["$defs"][argument.removeprefix("#/$defs/")], where)

    def _type(self, value, argument, where, _):
        if not TYPES[argument](value):
            yield f"{where}: {value!r} is no {argument}"

    def _const(self, value, argument, where, _):
        if value is not argument:
            yield f"{where}: {value!r} is not {argument!r}"

    def _enum(self, value, argument, where, _):
        if value not in argument:
            yield f"{where}: {value!r} is none of {argument}"

    def _minimum(self, value, argument, where, _):
        if TYPES["number"](value) and value < argument:
            yield f"{where}: {value} is below {argument}"

    def _required(self, value, argument, where, _):
        for name in argument:
            if isinstance(value, dict) and name not in value:
                yield f"{where}: {name} is missing"

    def _properties(self, value, argument, where, _):
        for name, schema in argument.items():
            if isinstance(value, dict) and name in value:
                yield from self._problems(value[name], schema, f"{where}.{name}")

    def _additionalProperties(self, value, argument, where, schema):  # pylint: disable=invalid-name
        for name in value if isinstance(value, dict) else ():
            if name in schema.get("properties", {}):
                continue
            if argument is False:
                yield f"{where}: {name} is not documented"
            else:
                yield from self._problems(value[name], argument, f"{where}.{name}")

    def _items(self, value, argument, where, _):
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from self._problems(item, argument, f"{where}[{index}]")

    def _anyOf(self, value, argument, where, _):  # pylint: disable=invalid-name
        found = [list(self._problems(value, schema, where)) for schema in argument]
        if all(found):
            yield f"{where}: fits none of {len(argument)}: {found[0][0]}"
