# Makes one machine of the cluster: the driver's (Spark master, run history) or a worker's.
#
# infra/template.json puts DRIVER_ADDRESS, STORAGE_ACCOUNT, CLUSTER_USER, SPARK_SECRET and ROLE in
# front of it and has it run as root, once, on Debian 12. It brings Spark; the project itself comes
# later (docs/cluster.md). Nothing that it prints or leaves readable for everybody holds the secret.
set -euo pipefail

SPARK_VERSION=3.5.9 # of constraints.txt: master, workers and driver must have the same
SPARK_PORT=7077
HISTORY_PORT=5000

install_spark() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y python3.11-venv openjdk-17-jre-headless make
    python3.11 -m venv /opt/spark
    /opt/spark/bin/pip install --quiet "pyspark==${SPARK_VERSION}"
    useradd --system --create-home --home-dir /var/lib/spark spark 2>/dev/null || true
    # Runs are started by this user, who must read what machines know each other by.
    usermod --append --groups spark "${CLUSTER_USER}"
}

# $1: folder for the configuration of Spark on this machine.
write_spark_defaults() {
    mkdir -p "$1"
    (umask 077 && cat >"$1/spark-defaults.conf") <<END
spark.authenticate true
spark.authenticate.secret ${SPARK_SECRET}
spark.network.crypto.enabled true
spark.executor.memory 4g
END
}

# $1: file for the environment variables of a run.
write_environment() {
    cat >"$1" <<END
AERIAL_ROOT=abfss://naip@${STORAGE_ACCOUNT}.dfs.core.windows.net/county
AERIAL_SPARK_ROOT=abfss://naip@${STORAGE_ACCOUNT}.dfs.core.windows.net/county
AERIAL_SPARK_MASTER=spark://${DRIVER_ADDRESS}:${SPARK_PORT}
AERIAL_DRIVER_HOST=${DRIVER_ADDRESS}
AERIAL_EXECUTORS=/home/${CLUSTER_USER}/aerial_kedro/build/executors/executors.tar.gz
AZURE_STORAGE_ACCOUNT_NAME=${STORAGE_ACCOUNT}
MLFLOW_TRACKING_URI=http://127.0.0.1:${HISTORY_PORT}
SPARK_CONF_DIR=/etc/aerial
END
}

# $1: name, $2: user, $3: command.
start_service() {
    cat >"/etc/systemd/system/$1.service" <<END
[Unit]
After=network-online.target
Wants=network-online.target
[Service]
User=$2
Environment=SPARK_CONF_DIR=/etc/aerial SPARK_NO_DAEMONIZE=1
# What a run's executors unpacked, a gigabyte for each, does not stay.
Environment=SPARK_WORKER_OPTS=-Dspark.worker.cleanup.enabled=true
WorkingDirectory=~
ExecStart=$3
Restart=on-failure
RestartSec=10
[Install]
WantedBy=multi-user.target
END
    systemctl daemon-reload
    systemctl enable --now "$1"
}

spark_class() {
    echo "/opt/spark/lib/python3.11/site-packages/pyspark/bin/spark-class org.apache.spark.deploy.$*"
}

main() {
    install_spark
    write_spark_defaults /etc/aerial
    chown -R root:spark /etc/aerial
    chmod 750 /etc/aerial
    chmod 640 /etc/aerial/spark-defaults.conf
    local own
    own=$(hostname -I | cut -d ' ' -f 1)
    if [[ ${ROLE} == driver ]]; then
        write_environment /etc/aerial/environment
        start_service spark-master spark \
            "$(spark_class master.Master --host "${own}" --port "${SPARK_PORT}" --webui-port 8080)"
        # Installed with the project; until then systemd tries again.
        start_service mlflow "${CLUSTER_USER}" \
            "/home/${CLUSTER_USER}/aerial_kedro/.venv/bin/mlflow server --host 127.0.0.1 --port ${HISTORY_PORT} --workers 1 --backend-store-uri sqlite:////home/${CLUSTER_USER}/mlflow.db --artifacts-destination wasbs://mlflow@${STORAGE_ACCOUNT}.blob.core.windows.net/"
    else
        start_service spark-worker spark \
            "$(spark_class worker.Worker --host "${own}" --webui-port 8081 --work-dir /var/lib/spark/work "spark://${DRIVER_ADDRESS}:${SPARK_PORT}")"
    fi
}

# Sourced by the tests, it does nothing.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main
fi
