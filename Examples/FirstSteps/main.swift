import KafkaWire

let servers = CommandLine.arguments.dropFirst().first ?? "localhost:9092"
let topic = CommandLine.arguments.dropFirst(2).first ?? "greetings"
let client = try KafkaClient(bootstrapServers: servers, properties: ["compression.type": "lz4"])

do {
    try await client.admin.createTopic(topic, partitions: 3)
} catch let error as KafkaError where error.code == .topicAlreadyExists {
    // From an earlier run.
}

let producer = client.producer()
let written = try await producer.send(ProducerRecord(topic: topic, key: "en", value: "hello"))
print("written:", written.partition, written.offset)

var deliveries: [Delivery] = []
for line in ["in", "order", "once"] {
    deliveries.append(try await producer.enqueue(ProducerRecord(topic: topic, key: "en", value: line)))
}
for delivery in deliveries { _ = try await delivery.metadata }

let consumer = client.consumer(group: "first-steps", offsetReset: .earliest)
try await consumer.subscribe(to: .topics([topic]))
for try await record in consumer.records {
    print(record.partition, record.offset, String(decoding: record.value ?? [], as: UTF8.self))
    if consumer.isCaughtUp {
        try await consumer.commit()
        break
    }
}

await consumer.close()  // leaves the group
await producer.close()  // waits until every record is delivered or has failed; 25 s at most
await client.close()  // closes the connections
