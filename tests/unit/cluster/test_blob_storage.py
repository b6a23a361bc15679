"""The storage credential: one entry for adlfs, GDAL and Hadoop, and never a word of it shown."""

from __future__ import annotations

import os
import socket

import pytest

from aerial_kedro.cluster import blob_storage, spark
from aerial_kedro.cluster.blob_storage import (
    StorageCredential,
    check_storage,
    python_address,
    read_credential,
)
from aerial_kedro.errors import AerialError

KEY = "ZmFrZS1rZXktdGhhdC1vcGVucy1ub3RoaW5n"
SAS = "sv=2026&sig=fakesignature"
ABFSS = "abfss://naip@account.dfs.core.windows.net/md"
WASBS = "wasbs://naip@account.blob.core.windows.net/md"
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=account;AccountKey={KEY}"


def credential(**entry: str) -> StorageCredential:
    return read_credential(entry)


def test_a_key_reaches_adlfs_gdal_and_hadoop() -> None:
    given = credential(account_name="account", account_key=KEY)
    assert given.environment() == {
        "AZURE_STORAGE_ACCOUNT_NAME": "account",
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "AZURE_STORAGE_ACCOUNT": "account",
        "AZURE_STORAGE_ACCESS_KEY": KEY,
    }
    assert given.hadoop(ABFSS) == {"fs.azure.account.key.account.dfs.core.windows.net": KEY}
    assert given.hadoop(WASBS) == {"fs.azure.account.key.account.blob.core.windows.net": KEY}


def test_a_connection_string_reaches_all_three() -> None:
    given = credential(connection_string=CONNECTION)
    assert given.environment() == {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION}
    assert given.hadoop(ABFSS) == {"fs.azure.account.key.account.dfs.core.windows.net": KEY}


def test_a_shared_access_signature_reaches_all_three() -> None:
    given = credential(account_name="account", sas_token=f"?{SAS}")
    assert given.environment()["AZURE_STORAGE_SAS_TOKEN"] == f"?{SAS}"
    assert given.hadoop(WASBS) == {"fs.azure.sas.naip.account.blob.core.windows.net": SAS}


def test_a_signature_that_hadoop_cannot_use_is_refused_with_the_address_that_it_can() -> None:
    with pytest.raises(AerialError, match=WASBS) as refusal:
        credential(account_name="account", sas_token=SAS).hadoop(ABFSS)
    assert "fakesignature" not in str(refusal.value)


def test_a_service_principal_and_the_machine_itself_are_settings_of_hadoop() -> None:
    host = "account.dfs.core.windows.net"
    principal = credential(client_id="me", client_secret="hush", tenant_id="us").hadoop(ABFSS)
    assert principal[f"fs.azure.account.oauth2.client.secret.{host}"] == "hush"
    machine = credential().hadoop(ABFSS)
    assert machine[f"fs.azure.account.oauth.provider.type.{host}"].endswith("MsiTokenProvider")


@pytest.mark.parametrize("root", ["data", "wasb://naip@storageemulator/md"])
def test_disk_and_emulator_need_no_setting_of_hadoop(root: str) -> None:
    assert credential(connection_string=CONNECTION).hadoop(root) == {}


@pytest.mark.parametrize(
    "entry",
    [{"account_key": KEY}, {"connection_string": f"AccountKey={KEY}"}, {"acount_key": KEY}],
)
def test_what_is_wrong_with_a_credential_is_said_without_it(entry: dict[str, str]) -> None:
    with pytest.raises(AerialError, match="makes no sense") as refusal:
        read_credential(entry)
    assert KEY not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_a_credential_does_not_show_itself() -> None:
    given = credential(account_name="account", account_key=KEY, sas_token=SAS, client_secret="hush")
    for text in (repr(given), str(given), repr((ABFSS, given)), given.model_dump_json()):
        assert KEY not in text
        assert "fakesignature" not in text
        assert "hush" not in text


def test_a_local_root_is_not_looked_for_in_storage() -> None:
    check_storage("data", credential())


def test_storage_that_is_not_there_is_named_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_storage, "_PATIENCE_S", 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = f"{CONNECTION};BlobEndpoint=http://127.0.0.1:{port}/account"
    with pytest.raises(AerialError, match="AZURE_STORAGE_CONNECTION_STRING") as refusal:
        check_storage("abfs://naip/md", credential(connection_string=text))
    assert "does not answer" in str(refusal.value)
    assert KEY not in str(refusal.value)


def test_a_key_is_shared_with_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given = credential(account_name="account", account_key=KEY)
    for name in given.environment():
        monkeypatch.setenv(name, "other")
    monkeypatch.setattr(spark, "_worker_environment", {})
    spark.share_environment(given.environment())
    assert os.environ["AZURE_STORAGE_ACCESS_KEY"] == KEY


def test_an_address_of_spark_is_written_as_python_does() -> None:
    assert python_address(ABFSS) == ABFSS
    assert python_address(ABFSS + "//03_primary/x") == ABFSS + "/03_primary/x"
    assert python_address("wasb://naip@storageemulator/md//x") == "abfs://naip/md/x"
    assert python_address("/data/x") == "/data/x"
    assert python_address("wasb://naip@storageemulator/md") == "abfs://naip/md"
