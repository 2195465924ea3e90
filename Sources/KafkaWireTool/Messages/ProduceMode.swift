import CommandLineSupport
import KafkaWire

/// `-P`: sends each line of standard input, or each file, as a message. With `-J` it sends the lines of a dump, from
/// standard input or files.
struct ProduceMode {
    let options: MessageOptions
    let client: KafkaClient
    let notes: Notes

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
        if let topic = options.topics.first {
            let described = try await ProducedTopics.describe(topic, client, producer)
            if let partition = options.partition { try described.require(partition) }
        } else {
            // The input names the topics, and may come late. Check now that the cluster can be reached.
            _ = try await client.admin.describeCluster()
        }
        if client.configuration.producer.transactionalID != nil { try await producer.initTransactions() }
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
                    "interrupted: the transaction was aborted, so none of its messages is committed", status: .ioError)
            }
        }
    }

    private func sendInput(_ producer: KafkaProducer, until stop: StopSignal) async throws {
        let sending = Sending(options: options, client: client, producer: producer)
        do {
            try await sendInput(sending, until: stop)
        } catch {
            // Still copy and deliver the messages before the error. If a failed delivery is the cause, `finish` throws
            // it.
            try? await sending.writeCopy()
            await producer.flush()
            try await sending.deliveries.finish()
            throw error
        }
        await producer.flush()
        try await sending.deliveries.finish()
        try sending.checkSkipped()
    }

    private func sendInput(_ sending: Sending, until stop: StopSignal) async throws {
        if options.operands.isEmpty {
            try await sendMessages(from: .standardInput, named: "standard input", sending, until: stop)
        } else if options.readsLines || options.isJSON {
            for path in options.operands where !stop.isRequested {
                try await sending.skippingErrors {
                    try await sendMessages(from: .file(path), named: ShownArgument.name(path), sending, until: stop)
                }
            }
        } else {
            try await sendFiles(sending, until: stop)
        }
        try await sending.writeCopy()
    }

    /// Sends the messages that lie between the delimiters of an input.
    private func sendMessages(
        from source: InputReader.Source, named name: String, _ sending: Sending, until stop: StopSignal
    ) async throws {
        let input = InputReader(source)
        let stopping = Task {
            await stop.wait()
            input.stop()
        }
        defer { stopping.cancel() }
        // The input may be a pipe that stays silent for hours, so a failed delivery must end the program immediately.
        sending.deliveries.onFailure { input.stop() }
        var splitter = MessageSplitter(delimiter: options.delimiter)
        var messages = InputMessages(options: options, inputName: name)
        var chunks = input.makeIterator()
        while sending.left > 0 {
            if let message = splitter.next() {
                try await messages.send(message, of: splitter, sending)
            } else if let chunk = try await chunks.next(after: sending.writeCopy) {
                try splitter.append(chunk)
                try sending.deliveries.check()
            } else if stop.isRequested {
                return
            } else {
                try sending.deliveries.check()
                splitter.finish()
                guard let message = splitter.next() else { return }
                try await messages.send(message, of: splitter, sending)
                return
            }
        }
    }

    private func sendFiles(_ sending: Sending, until stop: StopSignal) async throws {
        let shape = MessageShape(options)
        for path in options.operands where sending.left > 0 {
            try await sending.skippingErrors {
                guard let content = try await content(of: path, until: stop) else { return }
                let isNull = content.isEmpty && options.emptyIsNull
                try await sending.enqueue(
                    ProducerRecord(
                        topic: options.topics[0], partition: options.partition, key: shape.fixedKey,
                        value: isNull ? nil : content, headers: shape.headers))
                sending.copy(content, delimiter: options.delimiter)
            }
            if stop.isRequested { return }
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
                    "\(ShownArgument.name(path)) is longer than the maximum, \(MessageSplitter.longestMessage) bytes",
                    status: .badData)
            }
        }
        return stop.isRequested ? nil : content
    }
}

extension InputReader.Iterator {
    /// Writes the output of the previous chunks, and returns the next chunk; nil at the end.
    fileprivate mutating func next(after write: () async throws -> Void) async throws -> [UInt8]? {
        try await write()
        return try await next()
    }
}
