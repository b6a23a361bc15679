"""Blob storage: one credential for all that read it, and a look at it before a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, model_validator

from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import CheckedModel, describe_problems

if TYPE_CHECKING:
    from azure.identity import ClientSecretCredential, DefaultAzureCredential
    from azure.storage.blob import ContainerClient

_REMOTE = ("abfs", "abfss", "az", "wasb", "wasbs")
_BLOB_HOST, _DFS_HOST = ".blob.core.windows.net", ".dfs.core.windows.net"
_PATIENCE_S = 10
_HINT = (
    "Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with "
    "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN; conf/cluster/README.md says more"
)
# What adlfs calls it: the environment variable that it and the configuration read.
_VARIABLES = {
    "account_name": "AZURE_STORAGE_ACCOUNT_NAME",
    "account_key": "AZURE_STORAGE_ACCOUNT_KEY",
    "sas_token": "AZURE_STORAGE_SAS_TOKEN",
    "connection_string": "AZURE_STORAGE_CONNECTION_STRING",
    "client_id": "AZURE_STORAGE_CLIENT_ID",
    "client_secret": "AZURE_STORAGE_CLIENT_SECRET",
    "tenant_id": "AZURE_STORAGE_TENANT_ID",
}


class StorageCredential(CheckedModel):
    """What opens the storage account: the entry ``storage`` of the credentials.

    Parameters
    ----------
    account_name
        The storage account.
    account_key
        Its key.
    sas_token
        Or a shared access signature.
    connection_string
        Or both in one text, which also names the address; needed for an emulator.
    client_id, client_secret, tenant_id
        Or a service principal. With none of these, the identity of the machine.
    """

    account_name: str | None = None
    account_key: SecretStr | None = None
    sas_token: SecretStr | None = None
    connection_string: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    tenant_id: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.connection_string and not {"AccountName", "BlobEndpoint"} & set(self._connection()):
            raise ValueError("connection_string names neither AccountName nor BlobEndpoint")
        if (self.account_key or self.sas_token) and not self.account:
            raise ValueError("account_name is missing")
        return self

    @property
    def account(self) -> str | None:
        """The storage account's name."""
        return self.account_name or self._connection().get("AccountName")

    def environment(self) -> dict[str, str]:
        """Return the environment variables by which adlfs and GDAL find the credential."""
        found = {_VARIABLES[name]: value for name, value in self._plain().items()}
        key = self._key()
        if self.account and not self.connection_string:
            found["AZURE_STORAGE_ACCOUNT"] = self.account
            found |= {"AZURE_STORAGE_ACCESS_KEY": key} if key else {}
        return found

    def hadoop(self, spark_root: str) -> dict[str, str]:
        """Return the settings by which Hadoop finds the credential.

        Parameters
        ----------
        spark_root
            The container as Spark writes it.

        Raises
        ------
        AerialError
            If Hadoop cannot use this credential there.
        """
        place = urlsplit(spark_root)
        if place.scheme not in _REMOTE or place.hostname in (None, "storageemulator"):
            return {}  # The emulator's account and key are known to Hadoop.
        host = str(place.hostname)
        key, sas = self._key(), self._sas()
        if key:
            return {f"fs.azure.account.key.{host}": key}
        if sas:
            if not place.scheme.startswith("wasb"):
                raise AerialError(
                    f"Spark {spark_root}: Hadoop 3.3 takes a shared access signature through wasbs "
                    "only. Set AERIAL_SPARK_ROOT to "
                    f"wasbs://{place.username}@{self.account}.blob.core.windows.net{place.path}."
                )
            return {f"fs.azure.sas.{place.username}.{host}": sas.removeprefix("?")}
        return {f"{name}.{host}": value for name, value in self._oauth().items()}

    def open_container(self, root: str) -> ContainerClient:
        """Open a container so that a failure shows within seconds."""
        from azure.storage.blob import ContainerClient

        place = urlsplit(root)
        container = place.username or str(place.hostname)
        patience: dict[str, Any] = {
            "connection_timeout": _PATIENCE_S,
            "read_timeout": _PATIENCE_S,
            "retry_total": 1,
            "initial_backoff": 1,
            "increment_base": 1,
        }
        if self.connection_string:
            text = self.connection_string.get_secret_value()
            return ContainerClient.from_connection_string(text, container, **patience)
        account = self.account or str(place.hostname).split(".", 1)[0]
        url = f"https://{account}.blob.core.windows.net"
        opener = self._key() or self._sas() or self._identity()
        return ContainerClient(url, container, credential=opener, **patience)

    def _identity(self) -> ClientSecretCredential | DefaultAzureCredential:
        from azure.identity import ClientSecretCredential, DefaultAzureCredential

        if self.client_id and self.client_secret and self.tenant_id:
            secret = self.client_secret.get_secret_value()
            return ClientSecretCredential(self.tenant_id, self.client_id, secret)
        return DefaultAzureCredential()

    def _oauth(self) -> dict[str, str]:
        provider = "org.apache.hadoop.fs.azurebfs.oauth2"
        if not (self.client_id and self.client_secret and self.tenant_id):
            return {
                "fs.azure.account.auth.type": "OAuth",
                "fs.azure.account.oauth.provider.type": f"{provider}.MsiTokenProvider",
            }
        return {
            "fs.azure.account.auth.type": "OAuth",
            "fs.azure.account.oauth.provider.type": f"{provider}.ClientCredsTokenProvider",
            "fs.azure.account.oauth2.client.id": self.client_id,
            "fs.azure.account.oauth2.client.secret": self.client_secret.get_secret_value(),
            "fs.azure.account.oauth2.client.endpoint": (
                f"https://login.microsoftonline.com/{self.tenant_id}/oauth2/token"
            ),
        }

    def _key(self) -> str | None:
        return self._plain().get("account_key") or self._connection().get("AccountKey")

    def _sas(self) -> str | None:
        return self._plain().get("sas_token") or self._connection().get("SharedAccessSignature")

    def _plain(self) -> dict[str, str]:
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name in type(self).model_fields
            if (value := getattr(self, name))
        }

    def _connection(self) -> dict[str, str]:
        text = self.connection_string.get_secret_value() if self.connection_string else ""
        return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def read_credential(entry: Mapping[str, Any]) -> StorageCredential:
    """Read the entry ``storage`` of the credentials.

    Raises
    ------
    AerialError
        Naming what is wrong, without the values.
    """
    try:
        return StorageCredential.model_validate(dict(entry))
    except ValidationError as error:
        problems = "; ".join(describe_problems(error, show_values=False))
        raise AerialError(f"The storage credential makes no sense: {problems}. {_HINT}.") from None


def python_address(spark_address: str) -> str:
    """Write an address of Spark's as adlfs does; local paths stay.

    Examples
    --------
    >>> python_address("wasb://naip@storageemulator/middlesex")
    'abfs://naip/middlesex'
    >>> python_address("wasbs://naip@account.blob.core.windows.net/middlesex")
    'abfs://naip@account.dfs.core.windows.net/middlesex'

    To Hadoop several slashes are one, to adlfs they are other names:

    >>> python_address("abfss://naip@account.dfs.core.windows.net/middlesex//03_primary")
    'abfss://naip@account.dfs.core.windows.net/middlesex/03_primary'
    """
    place = urlsplit(spark_address)
    if place.scheme not in _REMOTE:
        return spark_address
    path = re.sub("/+", "/", place.path)
    if place.scheme not in ("wasb", "wasbs"):
        return place._replace(path=path).geturl()
    host = str(place.hostname)
    if not host.endswith(_BLOB_HOST):
        return f"abfs://{place.username}{path}"
    return f"abfs://{place.username}@{host.removesuffix(_BLOB_HOST)}{_DFS_HOST}{path}"


def is_in_storage(root: str) -> bool:
    """Return whether an address is in blob storage, rather than a folder of this machine."""
    return urlsplit(root).scheme in _REMOTE


def check_storage(root: str, credential: StorageCredential) -> None:
    """Look whether a container is there and may be listed, before hours are spent.

    Parameters
    ----------
    root
        Container, and folder, as adlfs writes it; a folder of this machine is not looked for.
    credential
        What opens it.

    Raises
    ------
    AerialError
        Naming what to set: it is not there, does not answer, or refuses.
    """
    if not is_in_storage(root):
        return
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ResourceNotFoundError,
    )

    container = urlsplit(root).username or urlsplit(root).hostname
    account = credential.account or "the account of AERIAL_ROOT"
    try:
        with credential.open_container(root) as client:
            next(client.list_blobs(results_per_page=1).by_page(), None)
    except ResourceNotFoundError:
        raise AerialError(
            f"There is no container {container!r} in the storage account {account}. Make it, or "
            "name another in AERIAL_ROOT and AERIAL_SPARK_ROOT."
        ) from None
    except (ClientAuthenticationError, HttpResponseError) as error:
        code = getattr(error, "error_code", None) or type(error).__name__
        raise AerialError(
            f"The storage account {account} refuses its credential ({code}) for {root}. {_HINT}."
        ) from None
    except (AzureError, ValueError) as error:
        said = type(error).__name__
        raise AerialError(
            f"The storage account {account} does not answer ({said}) for {root}. Check the account "
            f"and the network; behind an emulator, that it runs. {_HINT}."
        ) from None
