import PGWire

/// What became of a record.
public enum EncodedRow: Sendable, Equatable {
    /// Its row was appended to the buffer.
    case row
    /// It can't become a row; the text says which field and column, what was expected, and quotes the value.
    case rejected(String)
    /// It has a form that only the database knows: a JSON object with a field for each column, to be inserted by
    /// ``ServerRows`` in the transaction that the other rows are in.
    case server([UInt8])
}

/// What Kafka says about a record, besides its key, value and headers.
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

/// Turns records into rows of COPY's binary format, one after the other.
///
/// A row has the values that `INSERT INTO t SELECT … FROM json_populate_record(null::t, message)` would store in a
/// session whose time zone is UTC, and a record is rejected where that statement certainly fails. Deviations, all on
/// purpose: times relative to the present (`now`, `today`, …) are rejected, and so are messages that are nested
/// deeper than 8,192 levels.
///
/// One pass finds the columns' values in the message, a second one writes them in the order of the columns. Neither
/// allocates on the usual way; what a message with rare forms needs, it may. Not thread-safe: one encoder for each
/// worker.
public struct RowEncoder: ~Copyable {
    let plan: RowPlan
    var scanner: MessageScanner
    var fields: FieldEncoder
    let steps: ColumnSteps
    var sources: RecordSources
    private let scansMessages: Bool
    /// The fast path for messages of a form that the scanner has learnt.
    private var form: RowForm
    /// Which of the scanner's forms ``form`` was made of.
    private var formNumber = 0
    private var usesForms = true
    /// How many messages took the fast path.
    private(set) var fastCount = 0
    /// What ``fastCount`` was at the last message that the form did not fit, and how many there were since a fit.
    private var lastFastCount = 0
    private var formMisses = 0
    /// After how many messages another form is made.
    private var formPause = 0

    /// - Throws: `RowPlanError` for an unknown time zone, and a default that its column can't hold.
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

    /// Reads every message by the general path, which makes the same rows: for tests that compare the two.
    public mutating func disableFastPaths() {
        usesForms = false
        scanner.canLearn = false
    }

    /// The headers that columns take, for ``setHeader(_:_:)``.
    public var headerNames: [String] { sources.headerNames }

    /// Sets the topic of the records that follow.
    public mutating func setTopic(_ topic: String) { sources.topic.set(topic) }

    /// Sets the value of a header for the records that follow.
    ///
    /// - Parameters:
    ///   - index: In ``headerNames``.
    ///   - value: The last header of this name; nil if the record lacks it or it has no value. It is copied.
    public mutating func setHeader(_ index: Int, _ value: RawSpan?) { sources.headers[index].set(value) }

    /// Appends a record's row to a buffer, or says why not; the buffer is then as it was.
    ///
    /// - Parameters:
    ///   - value: The message; nil if the record has none.
    ///   - key: The record's key, or nil.
    public mutating func encode(
        value: RawSpan?, key: RawSpan?, metadata: RecordMetadata, into rows: inout CopyBuffer
    ) -> EncodedRow {
        if encodeExpected(value: value, metadata: metadata, into: &rows) { return .row }
        return encodeUnexpected(value: value, key: key, metadata: metadata, into: &rows)
    }

    /// Appends the row of a message that has the expected form.
    ///
    /// - Returns: False if it has another form, valid or not; nothing was appended, and
    ///   ``encodeUnexpected(value:key:metadata:into:)`` says what the message is.
    @inline(__always)
    mutating func encodeExpected(value: RawSpan?, metadata: RecordMetadata, into rows: inout CopyBuffer) -> Bool {
        // The view is used during this call only, while the span keeps the memory alive.
        guard usesForms, let message = Self.view(value),
            form.append(message, metadata, &fields, to: &rows)
        else { return false }
        fastCount &+= 1
        scanner.noteHit()
        return true
    }

    /// The same as ``encode(value:key:metadata:into:)`` for a message of any form.
    @inline(never)
    mutating func encodeUnexpected(
        value: RawSpan?, key: RawSpan?, metadata: RecordMetadata, into rows: inout CopyBuffer
    ) -> EncodedRow {
        if form.isUsable { noteFormMiss() }
        // As above.
        return encode(Self.view(value), Self.view(key), metadata, into: &rows)
    }

    /// Drops a form for a while if many messages in a row don't fit it, so that they aren't read twice.
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
                // A later column may certainly be wrong.
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

    /// Makes the fast path for messages of the form that the scanner expects.
    @inline(never)
    private mutating func makeForm() {
        formNumber = scanner.template.number
        form = RowFormBuilder.form(scanner.template, steps, nesting: scanner.nesting)
    }

    /// A column whose field is missing or null.
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

    /// A column that doesn't come from the message's fields.
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
        // The server gets its values as JSON text.
        if verdict == .server, value.isForeign, !value.view.isStorableText { return .encoding }
        return verdict
    }
}

/// A record while it is encoded.
struct RecordView {
    let message: ByteView?
    /// The message, or nothing.
    let text: ByteView
    let key: ByteView?
    let metadata: RecordMetadata
}

/// The steps of a plan in plain memory, so that reading one retains nothing.
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

    /// The step in place, which is valid as long as the steps are.
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
