extension RecordBatchReader {
    /// The size in bytes of the messages to combine in one batch. A larger message has a batch of its own.
    private static let batchByteCount = 1 << 20

    /// Reads messages of format 0 or 1 as one batch, and advances `position`.
    ///
    /// The batch has the messages in one compressed wrapper, or several uncompressed messages.
    ///
    /// - Parameter byteCount: The size in bytes of the first message, which is complete.
    /// - Returns: nil if the message is before `nextOffset`: before the requested offset, or returned already. A broker
    ///   that converts to an old format may send messages twice.
    mutating func nextMessageBatch(byteCount: Int) throws(KafkaError) -> RecordBatch? {
        do throws(KafkaError) {
            let range = position..<position + byteCount
            let message = try LegacyMessage(in: bytes.span, range, checksCRC: checksCRC)
            if message.offset < nextOffset {
                position = range.upperBound
                return nil
            }
            let batch = message.codec == 0 ? try uncompressedBatch(from: message) : try wrapperBatch(message)
            nextOffset = batch.nextOffset
            return batch
        } catch {
            var error = error
            error.topic = topic
            error.partition = partition
            error.offset = error.offset ?? bytes.span.bigEndian(at: position, as: Int64.self)
            throw error
        }
    }

    // MARK: Messages that aren't compressed

    /// Combines the uncompressed messages from `first` on that can share a batch.
    private mutating func uncompressedBatch(from first: LegacyMessage) throws(KafkaError) -> RecordBatch {
        var end = first.range.upperBound
        var last = first
        while end - first.range.lowerBound < Self.batchByteCount, let next = try message(at: end, after: last, first) {
            end = next.range.upperBound
            last = next
        }
        let byteCount = end - position
        var converter = MessageConverter(
            baseOffset: first.offset, messageByteCount: byteCount, wireByteCount: byteCount, pool: pool)
        while position < end {
            // The first pass has verified the checksums.
            let message = try LegacyMessage(
                in: bytes.span, position..<position + Self.byteCount(bytes.span, position), checksCRC: false)
            converter.append(message, in: bytes.span, offset: message.offset)
            position = message.range.upperBound
        }
        if first.isLogAppendTime { converter.setLogAppendTime(first.timestamp) }
        return RecordBatch(
            converter.header, compression: .none, content: converter.content, topic: topic, partition: partition,
            firstOffset: nextOffset)
    }

    /// The message at `start`; nil if it is incomplete, or can't be in the same batch as the previous ones.
    private func message(
        at start: Int, after last: LegacyMessage, _ first: LegacyMessage
    ) throws(KafkaError) -> LegacyMessage? {
        let framing = try RecordBatchHeader.framing(
            bytes.span.extracting(start...), topic: topic, partition: partition)
        guard case .message(let byteCount) = framing, byteCount <= Self.batchByteCount else { return nil }
        let next = try LegacyMessage(in: bytes.span, start..<start + byteCount, checksCRC: checksCRC)
        guard next.codec == 0, next.format == first.format, next.isLogAppendTime == first.isLogAppendTime,
            // A batch has only one broker timestamp.
            !next.isLogAppendTime || next.timestamp == first.timestamp,
            next.offset > last.offset, next.offset - first.offset <= Int64(Int32.max)
        else { return nil }
        return next
    }

    /// The size in bytes of the message at `position`.
    private static func byteCount(_ bytes: RawSpan, _ position: Int) -> Int {
        RecordBatchHeader.prefixByteCount + Int(bytes.bigEndian(at: position + 8, as: Int32.self))
    }

    // MARK: Messages in a wrapper

    private mutating func wrapperBatch(_ wrapper: LegacyMessage) throws(KafkaError) -> RecordBatch {
        guard let value = wrapper.value else { throw LegacyMessage.corrupt("it is compressed, but has no value") }
        let compression = try Compression(codec: wrapper.codec)
        let set = try compression.decompress(
            bytes.slice(value), maximumBytes: maximumInflatedBytes, pool: pool)
        var first: LegacyMessage?
        var last: LegacyMessage?
        var end = 0
        while end < set.count {
            let message = try innerMessage(set.span, at: end, of: wrapper, checksCRC: checksCRC)
            if let last, message.offset <= last.offset {
                throw LegacyMessage.corrupt("the offsets of its inner messages do not ascend")
            }
            first = first ?? message
            last = message
            end = message.range.upperBound
        }
        guard let first, let last else { throw LegacyMessage.corrupt("it is compressed, but contains no message") }
        // In format 1 the wrapper has the last message's offset, and the inner offsets are relative (KIP-31).
        let shift = wrapper.format == 1 ? wrapper.offset - last.offset : 0
        guard first.offset + shift >= 0, last.offset + shift <= wrapper.offset,
            wrapper.offset - (first.offset + shift) <= Int64(Int32.max)
        else { throw LegacyMessage.corrupt("the offsets of its inner messages are invalid") }

        var converter = MessageConverter(
            baseOffset: first.offset + shift, messageByteCount: set.count, wireByteCount: wrapper.range.count,
            pool: pool)
        var start = 0
        while start < set.count {
            let message = try innerMessage(set.span, at: start, of: wrapper, checksCRC: false)
            converter.append(message, in: set.span, offset: message.offset + shift)
            start = message.range.upperBound
        }
        converter.setLastOffset(wrapper.offset)
        // The broker sets its timestamp in the wrapper only.
        if wrapper.isLogAppendTime { converter.setLogAppendTime(wrapper.timestamp) }
        position = wrapper.range.upperBound
        return RecordBatch(
            converter.header, compression: compression, content: converter.content, topic: topic,
            partition: partition, firstOffset: nextOffset)
    }

    /// The message at `start` in a wrapper, checked to be complete, uncompressed and in the wrapper's format.
    private func innerMessage(
        _ set: RawSpan, at start: Int, of wrapper: LegacyMessage, checksCRC: Bool
    ) throws(KafkaError) -> LegacyMessage {
        let framing = try RecordBatchHeader.framing(set.extracting(start...), topic: topic, partition: partition)
        guard case .message(let byteCount) = framing else {
            throw LegacyMessage.corrupt("its inner messages are truncated, or not in format 0 or 1")
        }
        let message = try LegacyMessage(in: set, start..<start + byteCount, checksCRC: checksCRC)
        guard message.format == wrapper.format, message.codec == 0 else {
            throw LegacyMessage.corrupt("an inner message is in another format, or compressed itself")
        }
        return message
    }
}
