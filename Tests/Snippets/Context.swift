// What the Swift code in the documentation may use without declaring it; see scripts/snippets.py. It is only
// type-checked, never run.

import KafkaWire

func omitted<Value>() -> Value { fatalError("snippets are never run") }

var configuration: ClientConfiguration {
    get { omitted() }
    set {}
}
var client: KafkaClient { omitted() }
var producer: KafkaProducer { omitted() }
var consumer: KafkaConsumer { omitted() }
var group: ConsumerGroupMetadata { omitted() }
var partition: TopicPartition { omitted() }
var batch: RecordBatch { omitted() }
