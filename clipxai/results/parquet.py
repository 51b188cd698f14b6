"""How are explanations of many pictures kept in one table?"""

from importlib import import_module
from types import ModuleType


def arrow(part: str, what: str = "Parquet") -> ModuleType:
    """A module of pyarrow; else a ValueError that says `what` needs it."""
    try:
        return import_module(f"pyarrow.{part}")
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{what} is read and written by pyarrow: pip install 'clipxai[data]'"
        ) from error
