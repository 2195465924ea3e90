import KafkaWire

/// Overwrites one number, list or string of a response, like a hostile broker.
///
/// A response visits all its fields twice: first to count them, then to change the chosen one.
struct NumberOverwriter {
    private var visited = 0
    private let target: Int?
    private let value: UInt8

    /// Counts fields without changing any.
    init() {
        (target, value) = (nil, 0)
    }

    /// - Parameters:
    ///   - target: The index of the field to change.
    ///   - value: Selects the new value.
    init(target: Int, value: UInt8) {
        (self.target, self.value) = (target, value)
    }

    /// The number of visited fields.
    var count: Int { visited }

    private mutating func isTarget() -> Bool {
        defer { visited += 1 }
        return visited == target
    }

    mutating func number<Number: FixedWidthInteger>(_ number: inout Number) {
        guard isTarget() else { return }
        let candidates: [Number] = [
            .max, .min, -1, 0, 1, .max - 1, .min + 1, number &+ 1, number &- 1, number &* 2, .max / 2, -2, 2, 1000,
            Number(truncatingIfNeeded: Int64(Int32.max)), Number(truncatingIfNeeded: Int64(Int32.max) + 1),
        ]
        number = candidates[Int(value) % candidates.count]
    }

    /// A throttle time in milliseconds: up to 24 days, which no call may wait for.
    mutating func pause(_ milliseconds: inout Int32) {
        guard isTarget() else { return }
        milliseconds = [0, -1, .min, 1, 30, 1000, 60_000, .max][Int(value) % 8]
    }

    /// An error code, which may be unknown to the protocol.
    mutating func code(_ code: inout Int16) {
        guard isTarget() else { return }
        code = value < 250 ? Int16(value) % 135 - 1 : [.max, .min, 1000, -2, 200, 0][Int(value) - 250]
    }

    /// A port. The new port has no listener.
    mutating func port(_ port: inout Int32) {
        guard isTarget() else { return }
        port = [0, -1, .max, .min, 65_536, 1][Int(value) % 6]
    }

    mutating func text(_ text: inout String) {
        guard isTarget() else { return }
        text = ["", "t", "\u{1b}[2J", String(repeating: "x", count: 300), "\u{0}"][Int(value) % 5]
    }

    mutating func text(_ text: inout String?) {
        var present = text ?? ""
        let before = visited
        self.text(&present)
        if before == target { text = value.isMultiple(of: 7) ? nil : present }
    }

    mutating func id(_ id: inout KafkaUUID) {
        guard isTarget() else { return }
        id = value.isMultiple(of: 2) ? .zero : KafkaUUID(high: 7, low: 7)
    }

    /// A list: removes or duplicates elements, then visits each element.
    mutating func list<Element>(_ list: inout [Element], _ visit: (inout Element, inout Self) -> Void) {
        if isTarget() {
            switch value % 4 {
            case 0: list = []
            case 1: if !list.isEmpty { list.removeLast() }
            case 2: list += list
            default: list.reverse()
            }
        }
        for index in list.indices { visit(&list[index], &self) }
    }

    mutating func numbers(_ list: inout [Int32]) {
        self.list(&list) { $1.number(&$0) }
    }

    /// Opaque bytes: changes one of them, or removes the end.
    mutating func bytes(_ bytes: inout ByteSlice) {
        guard isTarget(), !bytes.isEmpty else { return }
        var copy = Array(bytes)
        let place = Int(value) % copy.count
        if value.isMultiple(of: 5) {
            copy.removeLast(copy.count - place)
        } else {
            copy[place] = value.isMultiple(of: 2) ? 0xff : copy[place] ^ 0x40
        }
        bytes = ByteSlice(copy)
    }

    /// Record batches: changes the numbers in the first batch's header, and updates its checksum.
    mutating func records(_ records: inout ByteSlice?) {
        // Base offset, length, leader epoch, attributes, last offset delta, timestamps, producer, sequence, count.
        let places = [
            (0, 8), (8, 4), (12, 4), (21, 2), (23, 4), (27, 8), (35, 8), (43, 8), (51, 2), (53, 4), (57, 4), (61, 1),
        ]
        for (place, size) in places {
            guard isTarget(), let present = records, present.count > RecordBatchHeader.byteCount else { continue }
            var batch = Array(present)
            let number: Int64 = [.max, .min, -1, 0, 1, 1 << 31, 1 << 15, 1 << 62][Int(value) % 8]
            // 2^63-1 becomes the largest number of each size.
            let shifted = number == .max || number == .min ? number >> (64 - 8 * Int64(size)) : number
            for index in 0..<size {
                batch[place + index] = UInt8(truncatingIfNeeded: shifted >> (8 * (size - 1 - index)))
            }
            let length = Int(batch[8..<12].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            let end = min(12 &+ length, batch.count)
            if end > RecordBatchHeader.checkedFrom {
                let crc = unsafe CRC32C.checksum(batch.span.bytes.extracting(RecordBatchHeader.checkedFrom..<end))
                for index in 0..<4 { batch[17 + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * UInt32(index))) }
            }
            records = ByteSlice(batch)
        }
    }
}
