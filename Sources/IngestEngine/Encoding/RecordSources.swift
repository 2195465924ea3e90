import PGWire

/// The column values that don't come from a message's fields, and the defaults.
struct RecordSources: ~Copyable {
    struct Fallback {
        var value: FieldValue
        var step: ColumnStep
        /// The default as written in the mapping.
        var text: String
    }

    /// Bytes at an address that stays valid until the next `set`.
    @safe final class Bytes {
        private var memory: UnsafeMutableRawPointer
        private var capacity = 64
        private var count = 0
        private var isPresent = false

        init() { unsafe memory = .allocate(byteCount: capacity, alignment: 8) }

        deinit { unsafe memory.deallocate() }

        var view: ByteView? { unsafe isPresent ? ByteView(UnsafeRawPointer(memory), count) : nil }

        func set(_ span: RawSpan?) {
            isPresent = false
            guard let span else { return }
            unsafe span.withUnsafeBytes { bytes in unsafe set(bytes) }
        }

        func set(_ text: String) {
            let bytes = Array(text.utf8)
            unsafe bytes.withUnsafeBytes { bytes in unsafe set(bytes) }
        }

        private func set(_ bytes: UnsafeRawBufferPointer) {
            if bytes.count > capacity {
                unsafe memory.deallocate()
                capacity = bytes.count
                unsafe memory = .allocate(byteCount: capacity, alignment: 8)
            }
            if let base = bytes.baseAddress { unsafe memory.copyMemory(from: base, byteCount: bytes.count) }
            count = bytes.count
            isPresent = true
        }
    }

    let topic = Bytes()
    let headerNames: [String]
    let headers: [Bytes]
    private(set) var fallbacks: [Fallback] = []
    private var fallbackBytes: [Bytes] = []
    /// Holds the digits of an offset, a partition or a timestamp, or the object of unused fields.
    private var scratch = ScratchMemory()
    /// An empty view with an address.
    let nothing: ByteView

    init(_ plan: RowPlan) {
        let names = plan.headerNames
        headerNames = names
        headers = names.map { _ in Bytes() }
        topic.set("")
        nothing = .empty
    }

    /// The value of a step's source; nil if the record has none.
    mutating func value(_ step: ColumnStep, _ record: RecordView) -> FieldValue? {
        switch step.source {
        case .topic: return topic.view.map(FieldValue.text)
        case .partition: return number(Int64(record.metadata.partition))
        case .offset: return number(record.metadata.offset)
        case .timestamp: return record.metadata.timestamp.flatMap { number($0) }
        case .key: return record.key.map(FieldValue.foreign)
        case .value: return record.message.map(FieldValue.foreign)
        case .header: return headers[Int(step.slot)].view.map(FieldValue.foreign)
        case .path, .rest: return nil
        }
    }

    private mutating func number(_ value: Int64) -> FieldValue {
        let target = unsafe scratch.room(24)
        var index = 20
        var magnitude = value.magnitude
        repeat {
            index -= 1
            unsafe target.storeBytes(
                of: UInt8(ascii: "0") + UInt8(magnitude % 10), toByteOffset: index, as: UInt8.self)
            magnitude /= 10
        } while magnitude > 0
        if value < 0 {
            index -= 1
            unsafe target.storeBytes(of: UInt8(ascii: "-"), toByteOffset: index, as: UInt8.self)
        }
        var slot = JSONSlot()
        slot.kind = .number
        slot.isShort = true
        slot.isInteger = true
        slot.isNegative = value < 0
        slot.digits = value.magnitude
        return FieldValue(unsafe ByteView(UnsafeRawPointer(target + index), 20 - index), slot)
    }

    /// A JSON object of the fields that no path reads, copied unchanged from the message.
    mutating func rest(of message: ByteView, _ unused: [MessageScanner.UnusedField]) -> ByteView {
        let size = unused.reduce(2) { $0 + $1.length + 1 }
        let target = unsafe scratch.room(size)
        var written = 0
        func put(_ byte: UInt8) {
            unsafe target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
        }
        put(UInt8(ascii: "{"))
        for (index, field) in unused.enumerated() {
            if index > 0 { put(UInt8(ascii: ",")) }
            unsafe message.slice(field.offset, field.length).copy(to: target + written)
            written += field.length
        }
        put(UInt8(ascii: "}"))
        return unsafe ByteView(UnsafeRawPointer(target), written)
    }

    /// Adds a column's default after checking that it fits the column.
    ///
    /// - Returns: The default's index; -1 if the column has none.
    /// - Throws: `RowPlanError` if the column's type refuses the default.
    mutating func addFallback(_ column: RowPlan.Column, _ fields: inout FieldEncoder) throws(RowPlanError) -> Int {
        guard let text = column.defaultText else { return -1 }
        let bytes = Bytes()
        bytes.set(text)
        fallbackBytes.append(bytes)
        // The default is text in the form of the column's type, regardless of the messages' format.
        var plain = column
        (plain.format, plain.zone, plain.bytes, plain.source) = (nil, nil, nil, .rest)
        let step = try fields.details.step(plain)
        var value = FieldValue.text(bytes.view ?? nothing)
        // JSON text, not a string.
        value.isForeign = step.operation == .json || step.operation == .jsonb
        if let view = bytes.view, view.contains(0) {
            throw RowPlanError("its default contains a zero byte", column: column.name)
        }
        var rows = CopyBuffer()
        rows.beginRow(columns: 1)
        let verdict = fields.encode(value, step, to: &rows)
        guard verdict == .done || verdict == .server else {
            throw RowPlanError(
                "its default \"\(text)\" is not a value of its type \(column.type.described)", column: column.name)
        }
        fallbacks.append(Fallback(value: value, step: step, text: text))
        return fallbacks.count - 1
    }
}
