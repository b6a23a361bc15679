"""A storage key is not to be found in anything that Spark shows or writes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import yaml

from tests.integration.kedro_project import PROJECT

KEY = "ZmFrZS1rZXktdGhhdC1vcGVucy1ub3RoaW5n"
# A Spark of its own, since the settings of one are fixed by its first session in a process.
SCRIPT = """
    import sys
    from aerial_kedro.cluster import spark
    from aerial_kedro.cluster.blob_storage import read_credential

    key, folder, shown = sys.argv[1:]
    root = "abfss://naip@account.dfs.core.windows.net/md"
    credential = read_credential({"account_name": "account", "account_key": key})
    spark.configure({
        "spark.master": "local[1]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": False,
        "spark.eventLog.enabled": True,
        "spark.eventLog.dir": "file://" + folder,
        "spark.redaction.regex": shown,
    })
    spark.share_environment(credential.environment())
    spark.set_storage(folder, credential.hadoop(root))
    session = spark.session()
    context = session.sparkContext
    assert context._jsc.hadoopConfiguration().get(
        "fs.azure.account.key.account.dfs.core.windows.net"
    ) == key
    assert key not in str(context.getConf().getAll())

    def seen(_):
        import os
        return [os.environ["AZURE_STORAGE_ACCESS_KEY"]]

    assert context.parallelize([1], 1).mapPartitions(seen).collect() == [key]
    context.addFile(__file__)  # makes Spark tell its environment once more
    java = context._gateway.proc.pid
    print(open(f"/proc/{java}/cmdline").read())
    session.stop()
"""


def test_a_key_reaches_hadoop_and_workers_and_no_page_log_or_command_line(tmp_path: Path) -> None:
    script, events = tmp_path / "script.py", tmp_path / "events"
    script.write_text(textwrap.dedent(SCRIPT))
    events.mkdir()
    settings = yaml.safe_load((PROJECT / "conf" / "cluster" / "spark.yml").read_text())
    run = subprocess.run(
        [sys.executable, str(script), KEY, str(events), settings["spark.redaction.regex"]],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    written = "".join(path.read_text() for path in events.iterdir())
    assert "SparkListenerEnvironmentUpdate" in written
    assert KEY not in written + run.stdout + run.stderr
