import PGWire

/// The values of a record that don't come from its message's fields, and the defaults.
struct RecordSources: ~Copyable {
    struct Fallback {
        var value: FieldValue
        var step: ColumnStep
        /// As in the mapping.
        var text: String
    }

    /// Bytes with an address of their own, for as long as the encoder lives.
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
    /// Digits of an offset, a partition or a timestamp, and the object of the rest.
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

    /// The value of a step's source; nil if the record lacks it.
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

    /// A JSON object of fields that no path takes, as they stand in the message.
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

    /// Keeps a column's default, once it is known to fit the column.
    ///
    /// - Returns: Its index; -1 if the column has none.
    mutating func addFallback(_ column: RowPlan.Column, _ fields: inout FieldEncoder) throws(RowPlanError) -> Int {
        guard let text = column.defaultText else { return -1 }
        let bytes = Bytes()
        bytes.set(text)
        fallbackBytes.append(bytes)
        // The default is text for the column's type, whatever format the messages have.
        var plain = column
        (plain.format, plain.zone, plain.bytes, plain.source) = (nil, nil, nil, .rest)
        let step = try fields.details.step(plain)
        var value = FieldValue.text(bytes.view ?? nothing)
        // JSON text and not a string.
        value.isForeign = step.operation == .json || step.operation == .jsonb
        if let view = bytes.view, view.contains(0) {
            throw RowPlanError("its default contains a zero byte", column: column.name)
        }
        var rows = CopyBuffer()
        rows.beginRow(columns: 1)
        let verdict = fields.encode(value, step, to: &rows)
        guard verdict == .done || verdict == .server else {
            throw RowPlanError(
                "its default \"\(text)\" is no value of its type \(column.type.described)", column: column.name)
        }
        fallbacks.append(Fallback(value: value, step: step, text: text))
        return fallbacks.count - 1
    }
}
