"""What can be done here, and the least role that it takes."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from pages.people.roles import Role


class Deed(Enum):
    """One kind of thing that people do, in words that follow “may not”."""

    SEE = "look at photos"
    SEARCH = "search"
    DOWNLOAD = "download"
    LABEL = "give thumbs"
    SAVE = "save classifiers"
    LAY_OUT = "lay a collection out"
    LOAD = "load photos"
    TAKE_OUT = "take photos out"
    DELETE = "delete collections"
    PUBLISH = "publish views and tables"
    EXPORT_FOLDER = "write into folders of the server"
    MANAGE = "change what is another person's"


# The one table of who may do what; a test walks it, and fails where nothing asks for a deed.
LEAST: Mapping[Deed, Role] = MappingProxyType(
    {
        Deed.SEE: Role.VIEWER,
        Deed.SEARCH: Role.VIEWER,
        Deed.DOWNLOAD: Role.VIEWER,
        Deed.LABEL: Role.LABELLER,
        Deed.SAVE: Role.LABELLER,
        Deed.LAY_OUT: Role.LABELLER,
        Deed.LOAD: Role.OWNER,
        Deed.TAKE_OUT: Role.OWNER,
        Deed.DELETE: Role.OWNER,
        Deed.PUBLISH: Role.OWNER,
        Deed.EXPORT_FOLDER: Role.OWNER,
        Deed.MANAGE: Role.OWNER,
    }
)
