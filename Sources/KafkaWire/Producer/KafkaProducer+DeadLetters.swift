extension KafkaProducer {
    /// Sends a record that could not be processed to a dead-letter topic, and waits until it is delivered.
    ///
    /// Key, value and headers are copied byte for byte. These headers are added behind them, with the names and formats of
    /// Spring Kafka's `DeadLetterPublishingRecoverer`:
    ///
    /// | header | value |
    /// | --- | --- |
    /// | `kafka_dlt-original-topic` | the topic's name, in UTF-8 |
    /// | `kafka_dlt-original-partition` | the partition, 4 bytes, big-endian |
    /// | `kafka_dlt-original-offset` | the offset, 8 bytes, big-endian |
    /// | `kafka_dlt-original-timestamp` | milliseconds since 1970, 8 bytes, big-endian; -1 if unknown |
    /// | `kafka_dlt-original-consumer-group` | the group, if one is given |
    /// | `kafka_dlt-exception-fqcn` | the error's type |
    /// | `kafka_dlt-exception-message` | the error's description |
    ///
    /// The dead letter gets the time at which it is sent, so that the retention of the topic counts from then. The
    /// producer chooses the partition by the key.
    ///
    /// ```swift
    /// try await consumer.process { record in
    ///     do {
    ///         try await handle(record)
    ///     } catch let error as DecodingError {
    ///         try await producer.sendDeadLetter(record, to: "orders.dlt", error: error)
    ///     }
    /// }
    /// ```
    /// `process` commits the record only after the handler has returned, so a dead letter is delivered before the commit.
    ///
    /// - Parameters:
    ///   - record: The record that could not be processed.
    ///   - topic: The dead-letter topic.
    ///   - error: Why it could not be processed.
    ///   - group: The consumer's group, for the header.
    /// - Returns: Where the dead letter was written.
    /// - Throws: As `send(_:)` does.
    @discardableResult
    public nonisolated(nonsending) func sendDeadLetter(
        _ record: ConsumerRecord, to topic: String, error: any Error, group: String? = nil
    ) async throws -> RecordMetadata {
        try await send(ProducerRecord(deadLetter: record, topic: topic, error: error, group: group))
    }
}

extension ProducerRecord {
    /// Creates the dead letter that ``KafkaProducer/sendDeadLetter(_:to:error:group:)`` sends, for example to enqueue it
    /// within a transaction.
    ///
    /// - Parameters:
    ///   - record: The record that could not be processed.
    ///   - topic: The dead-letter topic.
    ///   - error: Why it could not be processed.
    ///   - group: The consumer's group, for the header.
    public init(deadLetter record: ConsumerRecord, topic: String, error: any Error, group: String? = nil) {
        let timestamp = record.timestamp.millisecondsSince1970
        var headers = record.headers
        headers.append(RecordHeader("kafka_dlt-original-topic", record.topic))
        headers.append(RecordHeader("kafka_dlt-original-partition", Self.bigEndian(record.partition)))
        headers.append(RecordHeader("kafka_dlt-original-offset", Self.bigEndian(record.offset)))
        headers.append(RecordHeader("kafka_dlt-original-timestamp", Self.bigEndian(timestamp)))
        if let group { headers.append(RecordHeader("kafka_dlt-original-consumer-group", group)) }
        headers.append(RecordHeader("kafka_dlt-exception-fqcn", String(reflecting: type(of: error))))
        headers.append(RecordHeader("kafka_dlt-exception-message", "\(error)"))
        self.init(topic: topic, key: record.key, value: record.value, headers: headers)
    }

    private static func bigEndian<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
        stride(from: Integer.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
