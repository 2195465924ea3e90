import CommandLineSupport
import KafkaWire

/// `-P`: sends what is read from standard input, a message a line, or files, each as one message.
struct ProduceMode {
    let options: MessageOptions
    let client: KafkaClient
    let topic: String
    let notes: Notes

    /// How long a broker has for creating the topic.
    private static let creationLimit = Duration.seconds(5)

    func run(until stop: StopSignal) async throws {
        let producer = client.producer()
        guard try await stop.unlessRequested({ try await prepare(producer) }) != nil else {
            guard client.configuration.producer.transactionalID == nil else {
                throw Failure("interrupted before the transaction began: nothing was sent", status: .ioError)
            }
            return
        }
        do {
            try await send(producer, until: stop)
        } catch {
            await producer.close()
            throw error
        }
        await producer.close()
    }

    /// Checks topic and partition, and registers the producer of a transaction.
    private func prepare(_ producer: KafkaProducer) async throws {
        let described = try await describeTopic(producer)
        if let partition = options.partition { try described.require(partition) }
        if client.configuration.producer.transactionalID != nil { try await producer.initTransactions() }
    }

    /// Finds the topic. As with kcat, the broker creates a missing one if its `auto.create.topics.enable` and the
    /// client's `allow.auto.create.topics` permit that.
    private func describeTopic(_ producer: KafkaProducer) async throws -> TopicDescription {
        do {
            return try await client.admin.describe(topics: [topic])[0]
        } catch let error as KafkaError where error.code == .unknownTopicOrPartition {
            guard client.configuration.producer.allowsTopicCreation else { throw error }
        }
        let missing = Failure(
            "the topic \(topic) does not exist, and the broker has not created it within "
                + "\(DurationText.format(Self.creationLimit)): it may not permit that (auto.create.topics.enable)",
            status: .configuration, hint: Failure.missingTopicHint(topic))
        try await withDeadline(Self.creationLimit, failure: missing) { try await producer.ready(for: topic) }
        return try await client.admin.describe(topics: [topic])[0]
    }

    /// Sends everything; in one transaction if `transactional.id` is set.
    private func send(_ producer: KafkaProducer, until stop: StopSignal) async throws {
        guard client.configuration.producer.transactionalID != nil else {
            return try await sendInput(producer, until: stop)
        }
        try await producer.withTransaction { _ in
            try await sendInput(producer, until: stop)
            if stop.isRequested {
                throw Failure(
                    "interrupted: the transaction is aborted, and none of its messages count", status: .ioError)
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
            // If a delivery has failed, its error is the cause, and `finish` throws it.
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
        let input = InputReader(options.lineFile.map { .file($0) } ?? .standardInput)
        let stopping = Task {
            await stop.wait()
            input.stop()
        }
        defer { stopping.cancel() }
        // The input may be a pipe that stays silent for hours: a failed delivery ends the program at once.
        deliveries.onFailure { input.stop() }
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
                try deliveries.check()
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
        for path in options.operands.prefix(options.count ?? .max) {
            guard let content = try await content(of: path, until: stop) else { return }
            let isNull = content.isEmpty && options.emptyIsNull
            deliveries.add(
                try await producer.enqueue(
                    ProducerRecord(
                        topic: topic, partition: options.partition, key: shape.fixedKey, value: isNull ? nil : content,
                        headers: shape.headers)))
        }
    }

    /// - Returns: The whole file; nil if a stop was requested.
    private func content(of path: String, until stop: StopSignal) async throws -> [UInt8]? {
        let input = InputReader(.file(path))
        let stopping = Task {
            await stop.wait()
            input.stop()
        }
        defer { stopping.cancel() }
        var content: [UInt8] = []
        var chunks = input.makeIterator()
        while let chunk = try await chunks.next() {
            content += chunk
            guard content.count <= MessageSplitter.longestMessage else {
                throw Failure(
                    "\(ShownArgument.name(path)) is larger than a message can be, \(MessageSplitter.longestMessage) bytes",
                    status: .badData)
            }
        }
        return stop.isRequested ? nil : content
    }
}
