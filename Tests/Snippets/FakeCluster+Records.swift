// What the code in FakeCluster+Records.swift uses without declaring it.

import KafkaFake

private var fake: FakeCluster { omitted() }
