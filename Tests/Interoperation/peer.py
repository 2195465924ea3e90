"""librdkafka, controlled by lines of JSON on standard input. Peer.java describes the commands and answers.

usage: peer.py BOOTSTRAP, run by the Python that scripts/librdkafka.sh prints.
"""

import json
import sys
import threading

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

TIMEOUT = 30


def from_hex(text):
    return None if text is None else bytes.fromhex(text)


def to_hex(data):
    return None if data is None else data.hex()


class Peer:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.members = []

    def carry_out(self, order):
        return {
            "produce": self.produce, "consume": self.consume, "join": self.join,
            "look": lambda order: self.members[order["member"]].look(),
            "leave": lambda order: self.members[order["member"]].leave(),
        }[order["do"]](order)

    def settings(self, order, **defaults):
        named = {name.replace("_", "."): value for name, value in defaults.items()}
        return {"bootstrap.servers": self.bootstrap, **named, **order.get("settings", {})}

    def produce(self, order):
        producer = Producer(self.settings(order))
        failures = []
        if order.get("end"):
            producer.init_transactions(TIMEOUT)
            producer.begin_transaction()
        for record in order["records"]:
            producer.produce(
                order["topic"], partition=record["partition"], timestamp=record["timestamp"],
                key=from_hex(record.get("key")), value=from_hex(record.get("value")),
                headers=[(name, from_hex(value)) for name, value in record["headers"]],
                on_delivery=lambda error, _: failures.append(str(error)) if error else None)
        if producer.flush(TIMEOUT) > 0 or failures:
            raise RuntimeError(f"not delivered: {failures[:3]}")
        if order.get("end") == "commit":
            producer.commit_transaction(TIMEOUT)
        elif order.get("end"):
            producer.abort_transaction(TIMEOUT)
        return {}

    def consumer(self, order, **more):
        return Consumer(self.settings(order, auto_offset_reset="earliest", enable_auto_commit=False, **more))

    def consume(self, order):
        consumer = self.consumer(order, group_id="unused", enable_partition_eof=True)
        topic = order["topic"]
        open_partitions = set(consumer.list_topics(topic, TIMEOUT).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in open_partitions])
        records = []
        while open_partitions:
            message = consumer.poll(TIMEOUT)
            if message is None:
                raise RuntimeError(f"no record in {TIMEOUT} s; partitions {open_partitions} have more")
            if message.error():
                if message.error().code() != -191:  # the end of a partition
                    raise RuntimeError(str(message.error()))
                open_partitions.discard(message.partition())
                continue
            records.append({
                "partition": message.partition(), "offset": message.offset(), "timestamp": message.timestamp()[1],
                "key": to_hex(message.key()), "value": to_hex(message.value()),
                "headers": [[name, to_hex(value)] for name, value in message.headers() or []]})
        consumer.close()
        return {"records": records}

    def join(self, order):
        self.members.append(Member(self.consumer(order, group_id=order["group"]), order["topic"]))
        return {"member": len(self.members) - 1}


class Member:
    """A member of a group, on a thread of its own."""

    def __init__(self, consumer, topic):
        self.consumer = consumer
        self.assigned = []
        self.read = []
        self.failure = None
        self.is_leaving = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(topic,), daemon=True)
        self.thread.start()

    def run(self, topic):
        try:
            self.consumer.subscribe([topic], on_revoke=lambda consumer, _: self.commit())
            while not self.is_leaving.is_set():
                messages = self.consumer.consume(100, 0.1)
                self.assigned = [place.partition for place in self.consumer.assignment()]
                for message in messages:
                    if message.error():
                        raise RuntimeError(str(message.error()))
                    self.read.append([message.partition(), message.offset()])
                if messages:
                    self.commit()
            self.consumer.close()
        except Exception as error:  # reported by the next answer
            self.failure = error
        self.assigned = []

    def commit(self):
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as error:
            # There is nothing to commit, or a rebalance is in progress. The rebalance commits the revoked partitions; the
            # others are committed with the next records.
            if error.args[0].code() not in (
                    KafkaError._NO_OFFSET, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION):
                raise

    def look(self):
        if self.failure:
            raise self.failure
        return {"assigned": self.assigned, "read": list(self.read)}

    def leave(self):
        self.is_leaving.set()
        self.thread.join()
        return self.look()


peer = Peer(sys.argv[1])
for line in sys.stdin:
    try:
        answer = peer.carry_out(json.loads(line))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
