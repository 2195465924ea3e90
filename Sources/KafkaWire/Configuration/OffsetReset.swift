extension ConsumerConfiguration {
    /// Where to begin where there is no offset, or one that the log doesn't have (`auto.offset.reset`).
    public enum OffsetReset: Sendable, Hashable {
        /// `earliest` is the first record that the log still has; `latest` is its end, so that only what comes from now
        /// on is read.
        case earliest, latest
        /// At the first record that isn't older than this when the consumer looks for it (`by_duration:PT1H`,
        /// KIP-1106).
        case byDuration(Duration)
        /// Nowhere: it is an error (`none`).
        case fail

        /// Reads the setting's value; nil where it isn't one.
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

        /// The place to begin at; nil where there is none.
        ///
        /// - Parameter now: In milliseconds since 1970.
        public func place(now: Int64) -> OffsetSpec? {
            switch self {
            case .earliest: .earliest
            case .latest: .latest
            case .byDuration(let duration): .timestamp(max(0, now - max(0, duration.wholeMilliseconds)))
            case .fail: nil
            }
        }
    }
}

extension Duration {
    /// Reads a duration as ISO 8601 has it, such as `P1DT2H` or `PT0.5S`: days, hours, minutes and seconds, of which
    /// the seconds may have decimals. Nil where it isn't one, or negative, or beyond 10,000 years.
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
