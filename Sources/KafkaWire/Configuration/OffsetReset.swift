extension ConsumerConfiguration {
    /// Where a consumer begins if it has no offset, or the log no longer has it (`auto.offset.reset`).
    @nonexhaustive
    public enum OffsetReset: Sendable, Hashable, CustomStringConvertible {
        /// `earliest` is the first record that the log still has; `latest` is its end, so that only new records are read.
        case earliest, latest
        /// The first record that is not older than this duration when the consumer looks for it (`by_duration:PT1H`,
        /// KIP-1106).
        case byDuration(Duration)
        /// The partition fails (`none`).
        case fail

        /// Parses the setting's value; nil if it is invalid.
        init?(_ text: String) {
            switch text.lowercased() {
            case "earliest": self = .earliest
            case "latest": self = .latest
            case "none": self = .fail
            case let text:
                let prefix = "by_duration:"
                guard text.hasPrefix(prefix), let duration = Duration(iso8601: text.dropFirst(prefix.count)) else {
                    return nil
                }
                self = .byDuration(duration)
            }
        }

        /// The setting's value, such as `by_duration:PT3600S`.
        public var description: String {
            switch self {
            case .earliest: "earliest"
            case .latest: "latest"
            case .byDuration(let duration):
                switch max(0, duration.wholeMilliseconds).quotientAndRemainder(dividingBy: 1000) {
                case (let seconds, 0): "by_duration:PT\(seconds)S"
                case (let seconds, let rest): "by_duration:PT\(Double(seconds) + Double(rest) / 1000)S"
                }
            case .fail: "none"
            }
        }

        /// Returns the place to begin at; nil for `fail`.
        ///
        /// - Parameter now: The time from which `byDuration` counts back.
        public func place(now: KafkaTimestamp) -> OffsetSpec? {
            switch self {
            case .earliest: .earliest
            case .latest: .latest
            case .byDuration(let duration): .timestamp(now.subtracting(duration))
            case .fail: nil
            }
        }
    }
}

extension KafkaTimestamp {
    /// The time before this one, not before 1970. A negative duration counts as zero.
    fileprivate func subtracting(_ duration: Duration) -> KafkaTimestamp {
        let (earlier, overflow) = millisecondsSince1970.subtractingReportingOverflow(max(0, duration.wholeMilliseconds))
        return KafkaTimestamp(millisecondsSince1970: overflow ? 0 : max(0, earlier))
    }
}

extension Duration {
    /// Parses an ISO 8601 duration of days, hours, minutes and seconds, such as `P1DT2H` or `PT0.5S`. Only the seconds may
    /// have decimals.
    ///
    /// - Returns: nil if the text is not a duration, negative, or longer than 10,000 years.
    init?(iso8601 text: some StringProtocol) {
        var rest = text.uppercased()[...]
        guard rest.popFirst() == "P", !rest.isEmpty else { return nil }
        var units: [(Character, seconds: Double)] = [("D", 86400)]
        var isTime = false
        var seconds = 0.0
        while let first = rest.first {
            if first == "T" {
                guard !isTime, rest.count > 1 else { return nil }
                isTime = true
                rest.removeFirst()
                units = [("H", 3600), ("M", 60), ("S", 1)]
                continue
            }
            let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            guard let unit = rest.popFirst(), let place = units.firstIndex(where: { $0.0 == unit }),
                let value = Double(number), unit == "S" || !number.contains(".")
            else { return nil }
            seconds += value * units[place].seconds
            units.removeFirst(place + 1)
        }
        guard seconds < 10_000 * 366 * 86400 else { return nil }
        self = .seconds(seconds)
    }
}
