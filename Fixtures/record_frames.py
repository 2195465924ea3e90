"""Makes librdkafka send its requests, so that a proxy can record them; see record-frames.sh.

usage: record_frames.py BOOTSTRAP true|false     whether the broker supports KIP-848 groups
       record_frames.py BOOTSTRAP login          only logins
"""

import faulthandler
import sys
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, AlterConfigOpType, ConfigEntry,
    ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourcePatternType, ResourceType, ScramCredentialInfo,
    ScramMechanism, UserScramCredentialUpsertion)

TOPIC = "frames"


def print_errors(futures):
    """Waits for results and prints errors. Rejections are wanted too, because their frames are also recorded."""
    for future in futures.values() if isinstance(futures, dict) else [futures]:
        try:
            future.result(20)
        except KafkaException as error:
            print(error, file=sys.stderr)


def produce(bootstrap):
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        producer = Producer({
            "bootstrap.servers": bootstrap, "client.id": "recorder", "compression.type": codec, "linger.ms": 50,
            "enable.idempotence": codec != "none"})
        for i in range(6):
            producer.produce(
                TOPIC, partition=i % 2, key=None if i == 0 else "key", value=None if i == 1 else "value " * i,
                timestamp=1_700_000_000_000, headers=[("origin", None if i == 0 else b"key")])
        producer.flush(20)


def transactions(bootstrap):
    producer = Producer({"bootstrap.servers": bootstrap, "client.id": "recorder", "transactional.id": "recorder"})
    producer.init_transactions(20)
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "in-transaction"})
    for commits in [True, False]:
        producer.begin_transaction()
        producer.produce(TOPIC, partition=0, key="in", value="transaction")
        producer.send_offsets_to_transaction(
            [TopicPartition(TOPIC, 0, 3, metadata="note")], consumer.consumer_group_metadata(), 20)
        producer.commit_transaction(20) if commits else producer.abort_transaction(20)
    consumer.close()


def share(bootstrap, group, settings):
    """Starts two members one after the other, which causes a rebalance. The second one is static."""
    common = {
        "bootstrap.servers": bootstrap, "client.id": "recorder", "group.id": group, "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50, "enable.auto.commit": False, **settings}
    first = Consumer(common)
    second = Consumer({**common, "group.instance.id": group + "-fixed"})
    first.subscribe([TOPIC])
    second.subscribe([TOPIC])
    end = time.monotonic() + 20
    while not first.assignment() and time.monotonic() < end:
        first.poll(0.1)
    while not second.assignment() and time.monotonic() < end:
        message = first.poll(0.1)
        second.poll(0.1)
        if message is not None and not message.error():
            first.commit(message)
    first.close()
    second.close()


def by_hand(bootstrap):
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "client.id": "recorder", "group.id": "by-hand", "auto.offset.reset": "error",
        "isolation.level": "read_committed", "fetch.wait.max.ms": 50})
    consumer.assign([TopicPartition(TOPIC, 0, 0), TopicPartition(TOPIC, 1, 1)])
    for _ in range(10):
        consumer.poll(0.1)
    consumer.offsets_for_times([TopicPartition(TOPIC, 0, 1_600_000_000_000)], 20)
    consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), 20)
    consumer.committed([TopicPartition(TOPIC, 0)], 20)
    consumer.close()


def administrate(admin, groups):
    topic = ConfigResource(ConfigResource.Type.TOPIC, TOPIC)
    print_errors(admin.create_partitions([NewPartitions(TOPIC, 4), NewPartitions("missing", 2)]))
    print_errors(admin.incremental_alter_configs([ConfigResource(ConfigResource.Type.TOPIC, TOPIC, incremental_configs=[
        ConfigEntry("segment.ms", "600000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)])]))
    print_errors(admin.describe_configs([topic]))
    print_errors(admin.describe_cluster(include_authorized_operations=True))
    print_errors(admin.list_consumer_groups())
    print_errors(admin.describe_consumer_groups(groups + ["missing"]))
    print_errors(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(groups[0])]))
    print_errors(admin.alter_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(groups[0], [TopicPartition(TOPIC, 0, 1, metadata="moved")])]))
    print_errors(admin.delete_consumer_groups(groups[:1] + ["missing"]))
    print_errors(admin.list_offsets({TopicPartition(TOPIC, 0): OffsetSpec.max_timestamp()}))
    print_errors(admin.delete_records([TopicPartition(TOPIC, 0, 2)]))
    acl = AclBinding(
        ResourceType.TOPIC, "other", ResourcePatternType.LITERAL, "User:alice", "*", AclOperation.READ,
        AclPermissionType.ALLOW)
    print_errors(admin.create_acls([acl]))
    print_errors(admin.describe_acls(AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)))
    print_errors(admin.delete_acls([AclBindingFilter(
        ResourceType.TOPIC, "other", ResourcePatternType.LITERAL, None, None, AclOperation.ANY,
        AclPermissionType.ANY)]))
    print_errors(admin.alter_user_scram_credentials([UserScramCredentialUpsertion(
        "alice", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), b"not a secret", b"salt")]))
    print_errors(admin.describe_user_scram_credentials(["alice", "nobody"]))
    print_errors(admin.delete_topics([TOPIC, "missing"]))


def logins(bootstrap):
    """Logs in with each mechanism, with the right and a wrong password."""
    for password in ["alice-secret", "wrong"]:
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]:
            admin = AdminClient({
                "bootstrap.servers": bootstrap, "client.id": "recorder", "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanisms": mechanism, "sasl.username": "alice", "sasl.password": password})
            try:
                admin.list_topics(timeout=5)
            except KafkaException as error:
                print(error, file=sys.stderr)


def main(bootstrap, has_consumer_groups):
    admin = AdminClient({"bootstrap.servers": bootstrap, "client.id": "recorder"})
    print_errors(admin.create_topics([NewTopic(TOPIC, 3, 1, config={"retention.ms": "3600000"})]))
    print_errors(admin.create_topics([NewTopic(TOPIC, 3, 1)]))
    produce(bootstrap)
    transactions(bootstrap)
    groups = ["classic-range", "classic-cooperative"]
    share(bootstrap, groups[0], {"partition.assignment.strategy": "range,roundrobin"})
    share(bootstrap, groups[1], {"partition.assignment.strategy": "cooperative-sticky"})
    if has_consumer_groups:
        groups.append("modern")
        share(bootstrap, "modern", {"group.protocol": "consumer"})
    by_hand(bootstrap)
    administrate(admin, groups)


# Some of librdkafka's calls have no timeout.
faulthandler.dump_traceback_later(180, exit=True)
if sys.argv[2] == "login":
    logins(sys.argv[1])
else:
    main(sys.argv[1], sys.argv[2] == "true")
