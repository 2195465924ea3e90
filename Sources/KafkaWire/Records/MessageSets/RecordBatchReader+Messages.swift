extension RecordBatchReader {
    /// How many bytes of messages become one batch; a larger message is one by itself.
    private static let runByteCount = 1 << 20

    /// Reads the messages of format 0 or 1 that begin at `position`, and moves it behind them: the ones that a wrapper
    /// holds, or some that aren't compressed.
    ///
    /// - Parameter byteCount: The size of the first message, of which all bytes are there.
    /// - Returns: nil where they lie before the offset that was asked for, or behind which they were given already: a
    ///   broker that converts to an old format may send some twice.
    mutating func nextOfMessages(byteCount: Int) throws(KafkaError) -> RecordBatch? {
        do throws(KafkaError) {
            let range = position..<position + byteCount
            let message = try LegacyMessage(in: bytes.span, range, checksCRC: checksCRC)
            if message.offset < nextOffset {
                position = range.upperBound
                return nil
            }
            let batch = message.codec == 0 ? try run(from: message) : try unwrapped(message)
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

    /// Makes one batch of the messages that can share it.
    private mutating func run(from first: LegacyMessage) throws(KafkaError) -> RecordBatch {
        var end = first.range.upperBound
        var last = first
        while end - first.range.lowerBound < Self.runByteCount, let next = try message(at: end, after: last, first) {
            end = next.range.upperBound
            last = next
        }
        let byteCount = end - position
        var converter = MessageConverter(
            baseOffset: first.offset, messageByteCount: byteCount, wireByteCount: byteCount, pool: pool)
        while position < end {
            // The checksums were compared on the first way.
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

    /// The message at `start`, where there is a whole one that can be in the same batch as those before it.
    private func message(
        at start: Int, after last: LegacyMessage, _ first: LegacyMessage
    ) throws(KafkaError) -> LegacyMessage? {
        let framing = try RecordBatchHeader.framing(
            bytes.span.extracting(start...), topic: topic, partition: partition)
        guard case .message(let byteCount) = framing, byteCount <= Self.runByteCount else { return nil }
        let next = try LegacyMessage(in: bytes.span, start..<start + byteCount, checksCRC: checksCRC)
        guard next.codec == 0, next.format == first.format, next.isLogAppendTime == first.isLogAppendTime,
            // A batch has one time of the broker's.
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

    private mutating func unwrapped(_ wrapper: LegacyMessage) throws(KafkaError) -> RecordBatch {
        guard let value = wrapper.value else { throw LegacyMessage.corrupt("it says it is compressed, and is null") }
        let compression = try Compression(codec: wrapper.codec)
        let set = try compression.decompress(
            bytes.slice(value), maximumBytes: maximumInflatedBytes, pool: pool)
        var first: LegacyMessage?
        var last: LegacyMessage?
        var end = 0
        while end < set.count {
            let message = try inner(set.span, at: end, of: wrapper, checksCRC: checksCRC)
            if let last, message.offset <= last.offset {
                throw LegacyMessage.corrupt("the offsets of the messages in it don't ascend")
            }
            first = first ?? message
            last = message
            end = message.range.upperBound
        }
        guard let first, let last else { throw LegacyMessage.corrupt("it is compressed, and holds no message") }
        // In format 1 a wrapper has the last message's offset, and the messages count from wherever they like (KIP-31).
        let shift = wrapper.format == 1 ? wrapper.offset - last.offset : 0
        guard first.offset + shift >= 0, last.offset + shift <= wrapper.offset,
            wrapper.offset - (first.offset + shift) <= Int64(Int32.max)
        else { throw LegacyMessage.corrupt("the offsets of the messages in it can't be") }

        var converter = MessageConverter(
            baseOffset: first.offset + shift, messageByteCount: set.count, wireByteCount: wrapper.range.count,
            pool: pool)
        var start = 0
        while start < set.count {
            let message = try inner(set.span, at: start, of: wrapper, checksCRC: false)
            converter.append(message, in: set.span, offset: message.offset + shift)
            start = message.range.upperBound
        }
        converter.setLastOffset(wrapper.offset)
        // The broker sets its time in the wrapper alone.
        if wrapper.isLogAppendTime { converter.setLogAppendTime(wrapper.timestamp) }
        position = wrapper.range.upperBound
        return RecordBatch(
            converter.header, compression: compression, content: converter.content, topic: topic,
            partition: partition, firstOffset: nextOffset)
    }

    /// A message inside a wrapper: whole, of the same format, and not compressed once more.
    private func inner(
        _ set: RawSpan, at start: Int, of wrapper: LegacyMessage, checksCRC: Bool
    ) throws(KafkaError) -> LegacyMessage {
        let framing = try RecordBatchHeader.framing(set.extracting(start...), topic: topic, partition: partition)
        guard case .message(let byteCount) = framing else {
            throw LegacyMessage.corrupt("the messages in it end too early, or are of another format")
        }
        let message = try LegacyMessage(in: set, start..<start + byteCount, checksCRC: checksCRC)
        guard message.format == wrapper.format, message.codec == 0 else {
            throw LegacyMessage.corrupt("a message in it is of another format, or compressed once more")
        }
        return message
    }
}
