"""Names of stored models, and addresses of registered ones: one grammar for all who read them."""

import re
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9_-]+"
_ADDRESS = rf"models:/(?P<name>{_NAME})(?:/(?P<version>\d+|latest)|@(?P<alias>{_NAME}))"
MODEL_NAME_PATTERN = rf"^(?:{_NAME}|{_ADDRESS})$"
"""What the run parameter ``model_name`` may be."""
ADDRESS_FORMS = "models:/NAME/VERSION or models:/NAME@ALIAS"


@dataclass(frozen=True)
class ModelAddress:
    """Address of a model in MLflow's registry.

    Parameters
    ----------
    name
        Registered name.
    version
        Number of a version, or ``latest``; None where an alias is given.
    alias
        Alias of a version; None where a version is given.
    """

    name: str
    version: str | None
    alias: str | None

    def __str__(self) -> str:
        """Write the address as MLflow does."""
        end = f"/{self.version}" if self.alias is None else f"@{self.alias}"
        return f"models:/{self.name}{end}"


def parse_address(name: str | None) -> ModelAddress | None:
    """Read an address in the registry; None where the text is none, such as a stored model's name.

    Examples
    --------
    >>> parse_address("models:/county@best")
    ModelAddress(name='county', version=None, alias='best')
    >>> print(parse_address("models:/county/latest"), parse_address("county"))
    models:/county/latest None
    """
    parts = re.fullmatch(_ADDRESS, name or "")
    return ModelAddress(parts["name"], parts["version"], parts["alias"]) if parts else None
