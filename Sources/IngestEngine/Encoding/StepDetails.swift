/// The parts of steps that aren't trivially copyable; steps refer to them by index.
struct StepDetails {
    struct Time {
        var format: TimeFormat
        /// `date`, `time`, `timestamp` or `timestamptz`.
        var target: ColumnOperation
        /// The zone's clock; nil for UTC.
        var clock: ZoneClock?
        var hasZone: Bool { clock != nil }
    }

    struct Elements {
        var step: ColumnStep
        var oid: UInt32
    }

    var timeFormats: [Time] = []
    var byteFormats: [ByteFormat] = []
    var elements: [Elements] = []
    var labels: [[[UInt8]]] = []

    func hasLabel(_ text: ByteView, _ detail: Int) -> Bool {
        labels[detail].contains { label in
            label.count == text.count && label.indices.allSatisfy { label[$0] == text[$0] }
        }
    }

    /// The offset of a format's zone in seconds east of UTC; 0 without a zone.
    mutating func offset(atLocal time: ParsedTime, _ detail: Int) -> Int64 {
        timeFormats[detail].clock?.offset(atLocal: floorDivide(time.local, 1_000_000)) ?? 0
    }

    mutating func offset(atInstant microseconds: Int64, _ detail: Int) -> Int64 {
        timeFormats[detail].clock?.offset(atInstant: floorDivide(microseconds, 1_000_000)) ?? 0
    }
}

extension StepDetails {
    /// Makes the step of a column.
    ///
    /// - Throws: `RowPlanError` if its time zone is unknown.
    mutating func step(_ column: RowPlan.Column) throws(RowPlanError) -> ColumnStep {
        var step = step(column.type)
        step.isNotNull = column.isNotNull
        if let bytes = column.bytes, step.operation == .bytea {
            step.operation = .encodedBytes
            step.detail = Int32(byteFormats.count)
            byteFormats.append(bytes)
        }
        let isTime = [.date, .time, .timestamp, .timestamptz].contains(step.operation)
        let isKafkaTime = column.source == .record(.timestamp)
        guard isTime, column.format != nil || column.zone != nil || isKafkaTime else { return step }
        var clock: ZoneClock?
        if let zone = column.zone {
            guard let known = ZoneClock(zone) else {
                throw RowPlanError("there is no time zone \"\(zone)\"", column: column.name)
            }
            clock = known
        }
        step.detail = Int32(timeFormats.count)
        let format = isKafkaTime ? .unix(.milliseconds) : column.format ?? .iso8601
        timeFormats.append(Time(format: format, target: step.operation, clock: clock))
        step.operation = .formattedTime
        return step
    }

    private mutating func step(_ type: ColumnType) -> ColumnStep {
        var step = ColumnStep(type)
        var base = type
        while case .domain(let inner, _) = base { base = inner }
        switch base {
        case .enumeration(let names):
            step.detail = Int32(labels.count)
            labels.append(names.map { Array($0.utf8) })
        case .array(let element, let oid):
            let elementStep = self.step(element)
            step.detail = Int32(elements.count)
            elements.append(Elements(step: elementStep, oid: oid))
        default: break
        }
        return step
    }
}
