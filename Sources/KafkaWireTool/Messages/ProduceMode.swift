import CommandLineSupport
import KafkaWire

/// `-P`: sends what is read from standard input, a message a line, or files, each as one message.
struct ProduceMode {
    let options: MessageOptions
    let client: KafkaClient
    let topic: String
    let notes: Notes

    func run(until stop: StopSignal) async throws {
        // A producer waits for a topic that doesn't exist; who sends by hand wants to know at once.
        let described = try await stop.unlessRequested { try await client.admin.describe(topics: [topic])[0] }
        guard let described else {
            guard client.configuration.producer.transactionalID == nil else {
                throw Failure("interrupted: the transaction wasn't begun, and nothing was sent", status: .ioError)
            }
            return
        }
        if let partition = options.partition { try described.require(partition) }
        let producer = client.producer()
        do {
            try await send(producer, until: stop)
        } catch {
            await producer.close()
            throw error
        }
        await producer.close()
    }

    /// Sends everything; in one transaction where the producer has a name for them.
    private func send(_ producer: KafkaProducer, until stop: StopSignal) async throws {
        guard client.configuration.producer.transactionalID != nil else {
            return try await sendInput(producer, until: stop)
        }
        try await producer.withTransaction { _ in
            try await sendInput(producer, until: stop)
            if stop.isRequested {
                throw Failure("interrupted: the transaction is aborted, and nothing of it counts", status: .ioError)
            }
        }
    }

    private func sendInput(_ producer: KafkaProducer, until stop: StopSignal) async throws {
        let deliveries = DeliveryWatch()
        do {
            if options.operands.isEmpty {
                try await sendMessages(producer, deliveries, until: stop)
            } else {
                try await sendFiles(producer, deliveries, until: stop)
            }
        } catch {
            // What broke the sending is told by the first message that wasn't delivered, if there is one.
            await producer.flush()
            try await deliveries.finish()
            throw error
        }
        await producer.flush()
        try await deliveries.finish()
    }

    private func sendMessages(
        _ producer: KafkaProducer, _ deliveries: DeliveryWatch, until stop: StopSignal
    ) async throws {
        let input =
            if let file = options.lineFile { try InputReader.open(file) } else {
                InputReader(descriptor: 0, name: "standard input")
            }
        let stopping = Task {
            await stop.wait()
            input.stop()
        }
        defer { stopping.cancel() }
        var splitter = MessageSplitter(delimiter: options.delimiter)
        var shape = MessageShape(options)
        var chunks = input.makeIterator()
        var left = options.count ?? .max
        while left > 0 {
            if let message = splitter.next() {
                try await enqueue(message, of: splitter, &shape, producer, deliveries)
                left -= 1
            } else if let chunk = try await chunks.next() {
                try splitter.append(chunk)
                try deliveries.check()
            } else if stop.isRequested {
                return
            } else {
                splitter.finish()
                guard let message = splitter.next() else { return }
                try await enqueue(message, of: splitter, &shape, producer, deliveries)
                return
            }
        }
    }

    private func enqueue(
        _ message: Range<Int>, of splitter: MessageSplitter, _ shape: inout MessageShape, _ producer: KafkaProducer,
        _ deliveries: DeliveryWatch
    ) async throws {
        let fields = shape.fields(of: message, in: splitter.bytes)
        while true {
            let delivery = try tryEnqueue(fields, splitter.bytes, shape, producer)
            if let delivery {
                if delivery.isFirstOfBatch { deliveries.add(delivery) }
                return
            }
            try await producer.ready(for: topic)
            try deliveries.check()
        }
    }

    private func tryEnqueue(
        _ fields: MessageShape.Fields, _ bytes: RawSpan, _ shape: MessageShape, _ producer: KafkaProducer
    ) throws(KafkaError) -> Delivery? {
        var value: RawSpan?
        if let range = fields.value { value = bytes.extracting(range) }
        if let key = fields.key {
            return try producer.tryEnqueue(
                topic: topic, partition: options.partition, key: bytes.extracting(key), value: value,
                headers: shape.headers)
        }
        // The key's bytes are lent for the call alone.
        return try unsafe producer.tryEnqueue(
            topic: topic, partition: options.partition, key: shape.fixedKey?.span.bytes, value: value,
            headers: shape.headers)
    }

    private func sendFiles(
        _ producer: KafkaProducer, _ deliveries: DeliveryWatch, until stop: StopSignal
    ) async throws {
        let shape = MessageShape(options)
        for path in options.operands.prefix(options.count ?? .max) where !stop.isRequested {
            var content: [UInt8] = []
            var chunks = try InputReader.open(path).makeIterator()
            while let chunk = try await chunks.next() {
                content += chunk
                guard content.count <= MessageSplitter.longestMessage else {
                    throw Failure(
                        "\(path) is larger than a message can be, \(MessageSplitter.longestMessage) bytes",
                        status: .badData)
                }
            }
            let isNull = content.isEmpty && options.emptyIsNull
            deliveries.add(
                try await producer.enqueue(
                    ProducerRecord(
                        topic: topic, partition: options.partition, key: shape.fixedKey, value: isNull ? nil : content,
                        headers: shape.headers)))
        }
    }
}
