import PGWire

/// The outcome of encoding a record.
public enum EncodedRow: Sendable, Equatable {
    /// The row was appended to the buffer.
    case row
    /// The record can't become a row. The text names the field and column, says what was expected, and quotes the
    /// value.
    case rejected(String)
    /// The record has a form that only the server can parse: a JSON object with a field per column, to be inserted by
    /// ``ServerRows`` in the same transaction as the other rows.
    case server([UInt8])
}

/// A record's metadata in Kafka, without its key, value and headers.
public struct RecordMetadata: Sendable, Equatable {
    public var partition: Int32
    public var offset: Int64
    /// Milliseconds since 1970; nil if the record has none.
    public var timestamp: Int64?

    public init(partition: Int32, offset: Int64, timestamp: Int64? = nil) {
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }
}

/// Encodes records as rows of COPY's binary format, one at a time.
///
/// A row has the values that `INSERT INTO t SELECT … FROM json_populate_record(null::t, message)` would store in a
/// session whose time zone is UTC. A record is rejected if that statement would certainly fail. There are two
/// deliberate deviations: times relative to the present (`now`, `today`, …) and messages nested deeper than 8,192
/// levels are rejected.
///
/// One pass finds the columns' values in the message, and a second one writes them in column order. Neither allocates
/// for messages of the usual forms; rare forms may allocate. Not thread-safe: each worker has its own encoder.
public struct RowEncoder: ~Copyable {
    let plan: RowPlan
    var scanner: MessageScanner
    var fields: FieldEncoder
    let steps: ColumnSteps
    var sources: RecordSources
    private let scansMessages: Bool
    /// The fast path for messages whose form the scanner has learnt.
    private var form: RowForm
    /// The number of the scanner's form from which ``form`` was made; 0 if none.
    private var formNumber = 0
    private var usesForms = true
    /// The number of messages that took the fast path.
    private(set) var fastCount = 0
    /// The value of ``fastCount`` at the last message that didn't fit the form, and the number of consecutive misses.
    private var lastFastCount = 0
    private var formMisses = 0
    /// The number of messages to wait before making another form.
    private var formPause = 0

    /// - Throws: `RowPlanError` for an unknown time zone, or a default that its column can't hold.
    public init(_ plan: RowPlan) throws(RowPlanError) {
        self.plan = plan
        let paths = plan.columns.compactMap { column in
            if case .path(let path) = column.source { path } else { nil }
        }
        let takesRest = plan.columns.contains { $0.source == .rest }
        scanner = MessageScanner(paths, collectsUnused: takesRest || plan.unknownFields == .deadLetter)
        scansMessages = !paths.isEmpty || takesRest || plan.unknownFields == .deadLetter
        fields = FieldEncoder(nesting: scanner.nesting)
        form = RowForm(nesting: scanner.nesting)
        sources = RecordSources(plan)
        var steps: [ColumnStep] = []
        var nextPath = 0
        for column in plan.columns {
            var step = try fields.details.step(column)
            switch column.source {
            case .path:
                step.slot = Int32(scanner.tree.slots[nextPath])
                nextPath += 1
            case .header, .message, .envelope:
                step.source = .header
                step.slot = Int32(
                    sources.headerNames.firstIndex { $0 == column.headerName } ?? 0)
            case .record(let field): step.source = StepSource(field)
            case .rest: step.source = .rest
            }
            step.fallback = Int32(try sources.addFallback(column, &fields))
            steps.append(step)
        }
        self.steps = ColumnSteps(steps)
    }

    /// Encodes every message by the general path, which gives the same rows. For tests that compare the two paths.
    public mutating func disableFastPaths() {
        usesForms = false
        scanner.canLearn = false
    }

    /// The headers that columns read, by their index in ``setHeader(_:_:)``.
    public var headerNames: [String] { sources.headerNames }

    /// Sets the topic of the following records.
    public mutating func setTopic(_ topic: String) { sources.topic.set(topic) }

    /// Sets a header's value for the following records.
    ///
    /// - Parameters:
    ///   - index: The index in ``headerNames``.
    ///   - value: The last header of this name; nil if there is none or its value is null. The bytes are copied.
    public mutating func setHeader(_ index: Int, _ value: RawSpan?) { sources.headers[index].set(value) }

    /// Appends a record's row to a buffer. Unless it returns `.row`, the buffer is unchanged.
    ///
    /// - Parameters:
    ///   - value: The message; nil if the record's value is null.
    ///   - key: The record's key, or nil.
    public mutating func encode(
        value: RawSpan?, key: RawSpan?, metadata: RecordMetadata, into rows: inout CopyBuffer
    ) -> EncodedRow {
        if encodeExpected(value: value, metadata: metadata, into: &rows) { return .row }
        return encodeUnexpected(value: value, key: key, metadata: metadata, into: &rows)
    }

    /// Appends the row of a message that has the expected form.
    ///
    /// - Returns: false if the message has another form, valid or not. Nothing was appended then; call
    ///   ``encodeUnexpected(value:key:metadata:into:)``.
    @inline(__always)
    mutating func encodeExpected(value: RawSpan?, metadata: RecordMetadata, into rows: inout CopyBuffer) -> Bool {
        // The view is used only during this call, in which the span keeps the memory alive.
        guard usesForms, let message = Self.view(value),
            form.append(message, metadata, &fields, to: &rows)
        else { return false }
        fastCount &+= 1
        scanner.noteHit()
        return true
    }

    /// Encodes a message of any form, as ``encode(value:key:metadata:into:)`` does.
    @inline(never)
    mutating func encodeUnexpected(
        value: RawSpan?, key: RawSpan?, metadata: RecordMetadata, into rows: inout CopyBuffer
    ) -> EncodedRow {
        if form.isUsable { noteFormMiss() }
        // Safe for the reason given above.
        return encode(Self.view(value), Self.view(key), metadata, into: &rows)
    }

    /// Drops the form for a while after many consecutive misses, so that messages aren't read twice.
    private mutating func noteFormMiss() {
        if fastCount != lastFastCount {
            lastFastCount = fastCount
            formMisses = 0
        }
        formMisses += 1
        guard formMisses >= RowForm.maximumMisses else { return }
        form = RowForm(nesting: scanner.nesting)
        formNumber = 0
        formMisses = 0
        formPause = RowForm.pause
    }

    @inline(__always)
    private static func view(_ span: RawSpan?) -> ByteView? {
        guard let span else { return nil }
        return unsafe span.withUnsafeBytes { bytes -> ByteView in
            // An empty span may have no address.
            guard let base = bytes.baseAddress else { return .empty }
            return unsafe ByteView(base, bytes.count)
        }
    }

    @inline(__always)
    private mutating func encode(
        _ message: ByteView?, _ key: ByteView?, _ metadata: RecordMetadata, into rows: inout CopyBuffer
    ) -> EncodedRow {
        let text = message ?? sources.nothing
        if scansMessages {
            guard message != nil else { return .rejected("the record has no value") }
            guard scanner.scan(text) else { return .rejected(invalid(text)) }
            fields.isUnusual = scanner.isUnusual
            if formPause > 0 {
                formPause &-= 1
            } else if scanner.template.number != formNumber, scanner.hits >= RowForm.minimumHits {
                makeForm()
            }
            if !scanner.unused.isEmpty, let reason = unknownField(text) { return .rejected(reason) }
        }
        let record = RecordView(message: message, text: text, key: key, metadata: metadata)
        let mark = rows.mark()
        rows.beginRow(columns: steps.count)
        var needsServer = false
        for index in 0..<steps.count {
            let verdict: Verdict
            let step = unsafe steps.pointer(index)
            if unsafe step.pointee.source == .path {
                let slot = unsafe scanner.pointer(Int(step.pointee.slot))
                if unsafe slot.pointee.generation == scanner.generation, unsafe slot.pointee.kind != .null {
                    if unsafe fields.encodeUsual(text, slot, step.pointee.operation, to: &rows) { continue }
                    let view = unsafe text.slice(Int(slot.pointee.offset), Int(slot.pointee.length))
                    verdict = unsafe fields.encode(FieldValue(view, slot.pointee), step.pointee, to: &rows)
                } else if unsafe step.pointee.fallback < 0, unsafe !step.pointee.isNotNull {
                    rows.appendNull()
                    continue
                } else {
                    verdict = unsafe encodeMissing(step.pointee, to: &rows)
                }
            } else {
                verdict = unsafe encodeSource(step.pointee, record, to: &rows)
            }
            if verdict == .done { continue }
            if verdict == .server {
                // Continue: a later column may be certainly wrong.
                needsServer = true
                continue
            }
            rows.rollback(to: mark)
            return .rejected(reason(index, verdict, record))
        }
        if !needsServer { return .row }
        rows.rollback(to: mark)
        return .server(serverRow(record))
    }

    /// Builds the fast path for the form that the scanner expects.
    @inline(never)
    private mutating func makeForm() {
        formNumber = scanner.template.number
        form = RowFormBuilder.form(scanner.template, steps, nesting: scanner.nesting)
    }

    /// Encodes the default or null for a field that is missing or null.
    @inline(never)
    private mutating func encodeMissing(_ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        guard step.fallback >= 0 else {
            if step.isNotNull { return .null }
            rows.appendNull()
            return .done
        }
        let fallback = sources.fallbacks[Int(step.fallback)]
        return fields.encode(fallback.value, fallback.step, to: &rows)
    }

    /// Encodes a column whose source isn't a field of the message.
    @inline(never)
    private mutating func encodeSource(
        _ step: ColumnStep, _ record: RecordView, to rows: inout CopyBuffer
    ) -> Verdict {
        if step.source == .rest {
            let text = sources.rest(of: record.text, scanner.unused)
            return fields.encode(.foreign(text), step, to: &rows)
        }
        guard let value = sources.value(step, record) else { return encodeMissing(step, to: &rows) }
        let verdict = fields.encode(value, step, to: &rows)
        // The server receives the values as JSON text.
        if verdict == .server, value.isForeign, !value.view.isStorableText { return .encoding }
        return verdict
    }
}

/// A record during encoding.
struct RecordView {
    let message: ByteView?
    /// The message; empty if there is none.
    let text: ByteView
    let key: ByteView?
    let metadata: RecordMetadata
}

/// The steps of a plan in unmanaged memory, so that reading one retains nothing.
@safe struct ColumnSteps: ~Copyable {
    private let memory: UnsafeMutablePointer<ColumnStep>
    let count: Int

    init(_ steps: [ColumnStep]) {
        count = steps.count
        unsafe memory = .allocate(capacity: max(steps.count, 1))
        for (index, step) in steps.enumerated() { unsafe (memory + index).initialize(to: step) }
    }

    deinit { unsafe memory.deallocate() }

    @inline(__always)
    subscript(_ index: Int) -> ColumnStep { unsafe memory[index] }

    /// A pointer to a step, valid as long as this value.
    @inline(__always)
    func pointer(_ index: Int) -> UnsafePointer<ColumnStep> { unsafe UnsafePointer(memory + index) }
}

extension StepSource {
    init(_ field: Route.RecordField) {
        switch field {
        case .topic: self = .topic
        case .partition: self = .partition
        case .offset: self = .offset
        case .timestamp: self = .timestamp
        case .key: self = .key
        case .value: self = .value
        }
    }
}
