import CommandLineSupport
import KafkaWire

/// Sends the messages of one input, which has either lines with key and value, or lines of a dump.
struct InputMessages {
    private let options: MessageOptions
    private let inputName: String
    private let shape: MessageShape
    private var line = RecordLine()
    /// The number of the current message, from 1.
    private var number = 0
    /// The topic of the previous line, kept because most lines have the same.
    private var topic = ""

    init(options: MessageOptions, inputName: String) {
        self.options = options
        self.inputName = inputName
        shape = MessageShape(options)
    }

    /// Sends a message.
    ///
    /// - Throws: A failure that names input and line, unless `-E` skips the message; the error of a failed delivery.
    mutating func send(_ message: Range<Int>, of splitter: MessageSplitter, _ sending: Sending) async throws {
        number += 1
        do {
            if options.isJSON {
                guard try await sendLine(message, of: splitter, sending) else { return }
            } else {
                try await sendText(message, of: splitter, sending)
            }
        } catch let error as KafkaError where Sending.isOfOneMessage(error) {
            return try sending.skip(located(error))
        } catch let failure as Failure {
            return try sending.skip(failure)
        }
        sending.copy(splitter.bytes.extracting(message), delimiter: options.delimiter)
        if sending.isCopyFull { try await sending.writeCopy() }
    }

    /// Adds the message's place in its input to an error.
    private func located(_ error: KafkaError) -> Failure {
        var sentence = "\(error)"
        var hint: String?
        if error.code == .unknownTopicOrPartition, let partition = error.partition {
            sentence = "the topic \(error.topic ?? "") has no partition \(partition)"
            hint = "create partitions with 'kafkawire topics add-partitions'"
            if options.isJSON { hint = (hint ?? "") + ", or let the client choose partitions with -p -1" }
        }
        let failure = Failure(error)
        return Failure("\(place): \(sentence)", status: failure.status, hint: hint ?? failure.hint)
    }

    private var place: String { "\(inputName), line \(number)" }

    // MARK: Lines with key and value

    private func sendText(_ message: Range<Int>, of splitter: MessageSplitter, _ sending: Sending) async throws {
        let fields = shape.fields(of: message, in: splitter.bytes)
        while true {
            if let delivery = try tryEnqueue(fields, splitter.bytes, sending.producer) {
                return sending.enqueued(delivery)
            }
            try await sending.producer.ready(for: options.topics[0])
            try sending.deliveries.check()
        }
    }

    private func tryEnqueue(
        _ fields: MessageShape.Fields, _ bytes: RawSpan, _ producer: KafkaProducer
    ) throws(KafkaError) -> Delivery? {
        var value: RawSpan?
        if let range = fields.value { value = bytes.extracting(range) }
        if let key = fields.key {
            return try producer.tryEnqueue(
                topic: options.topics[0], partition: options.partition, key: bytes.extracting(key), value: value,
                headers: shape.headers)
        }
        // The key's bytes are only used during the call.
        return try unsafe producer.tryEnqueue(
            topic: options.topics[0], partition: options.partition, key: shape.fixedKey?.span.bytes, value: value,
            headers: shape.headers)
    }

    // MARK: Lines of a dump

    /// - Returns: Whether a record was sent; false if the line is blank.
    private mutating func sendLine(
        _ message: Range<Int>, of splitter: MessageSplitter, _ sending: Sending
    ) async throws -> Bool {
        guard !isBlank(splitter.bytes.extracting(message)) else { return false }
        do throws(RecordLine.Problem) {
            try line.read(splitter.bytes.extracting(message))
        } catch {
            throw Failure("\(place): \(error.sentence)", status: .badData)
        }
        let headers = try headers()
        try await takeTopic(sending)
        let partition = options.given.contains("-p") ? options.partition : line.partition
        while true {
            if let delivery = try tryEnqueue(partition, headers, sending.producer) {
                sending.enqueued(delivery)
                return true
            }
            try await sending.producer.ready(for: topic)
            try sending.deliveries.check()
        }
    }

    private func isBlank(_ line: RawSpan) -> Bool {
        for index in 0..<line.byteCount {
            switch line[index] {
            case 0x20, 0x09, 0x0a, 0x0d: continue
            default: return false
            }
        }
        return true
    }

    /// Chooses the topic: that of `-t`, else the line's.
    private mutating func takeTopic(_ sending: Sending) async throws {
        if let given = options.topics.first {
            topic = given
            return
        }
        guard let range = line.topic else {
            throw Failure("\(place): it has no \"topic\"; give one with -t", status: .badData)
        }
        guard !topic.utf8.elementsEqual(line.bytes[range]) else { return }
        guard let name = String(validating: line.bytes[range], as: UTF8.self) else {
            throw Failure("\(place): its \"topic\" is not UTF-8", status: .badData)
        }
        do {
            try await sending.topics.require(name)
        } catch let failure as Failure {
            throw Failure("\(place): \(failure.sentence)", status: failure.status, hint: failure.hint)
        }
        topic = name
    }

    private func headers() throws(Failure) -> [RecordHeader] {
        // Most records have no headers, and an empty array allocates nothing.
        guard !line.headers.isEmpty else { return [] }
        var headers: [RecordHeader] = []
        headers.reserveCapacity(line.headers.count)
        for header in line.headers {
            guard let name = String(validating: line.bytes[header.name], as: UTF8.self) else {
                throw Failure(
                    "\(place): the name of a header is not UTF-8, as Kafka's protocol requires it", status: .badData)
            }
            headers.append(RecordHeader(name, header.value.map { Array(line.bytes[$0]) }))
        }
        return headers
    }

    private func tryEnqueue(
        _ partition: Int32?, _ headers: [RecordHeader], _ producer: KafkaProducer
    ) throws(KafkaError) -> Delivery? {
        // The line's bytes are only used during the call.
        let bytes = unsafe line.bytes.span.bytes
        var key: RawSpan?
        if let range = line.key { key = bytes.extracting(range) }
        var value: RawSpan?
        if let range = line.value { value = bytes.extracting(range) }
        let timestamp = line.timestamp.map { KafkaTimestamp(millisecondsSince1970: $0) }
        return try producer.tryEnqueue(
            topic: topic, partition: partition, key: key, value: value, headers: headers, timestamp: timestamp)
    }
}
