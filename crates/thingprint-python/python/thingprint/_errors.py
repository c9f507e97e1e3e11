"""What goes wrong, by kind; the messages are those of the command."""

__all__ = ["InputError", "ModelMismatch", "ThingprintError", "ThingprintWarning", "UsageError"]


class ThingprintError(Exception):
    """Whatever this package raises."""


class UsageError(ThingprintError, ValueError):
    """An argument cannot be understood, or contradicts another one: exit status 2 of the command."""


class InputError(ThingprintError, OSError):
    """A file or a frame cannot be read, or nothing can be made of it: exit status 1 of the command."""


class ModelMismatch(ThingprintError, ValueError):
    """A model and data do not fit each other: exit status 5 of the command."""


class ThingprintWarning(UserWarning):
    """A result lacks something, or may not be what was meant: what the command warns of."""


for _class in (ThingprintError, UsageError, InputError, ModelMismatch, ThingprintWarning):
    _class.__module__ = "thingprint"
