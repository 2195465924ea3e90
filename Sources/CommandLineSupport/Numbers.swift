/// Formats numbers for users.
public enum Numbers {
    /// 1234567 as "1,234,567".
    public static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Three digits and a unit: "999", "12.3 k", "1.23 M".
    public static func short(_ number: Double) -> String {
        scaled(number, units: ["", " k", " M", " G", " T"])
    }

    /// A rate per second, such as "1.23 M/s".
    public static func rate(_ perSecond: Double) -> String { short(perSecond) + "/s" }

    /// A number of bytes with decimal units, such as "12.3 MB".
    public static func bytes(_ count: Int) -> String {
        scaled(Double(count), units: [" B", " kB", " MB", " GB", " TB"])
    }

    /// "0.35 s", "12.3 s", "2 min 05 s", "3 h 20 min".
    public static func seconds(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "?" }
        if seconds < 59.95 { return fixed(seconds, decimals: seconds < 9.995 ? 2 : 1) + " s" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
        return "\(grouped(whole / 3600)) h \(twoDigits(whole / 60 % 60)) min"
    }

    /// The number of offsets between two offsets. Negative ones mean "no offset" and count as 0.
    ///
    /// - Returns: The distance; 0 if `end` is before `first`.
    public static func distance(from first: Int64, to end: Int64) -> Int64 {
        // Neither operand is negative, so the difference can't overflow.
        max(0, max(0, end) - max(0, first))
    }

    /// A number rounded to some decimals; "?" for infinity and NaN.
    public static func fixed(_ number: Double, decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (number.magnitude * scale).rounded()
        guard scaled < 9e15 else { return number.isFinite ? plain(number.rounded()) : "?" }
        let digits = String(Int(scaled))
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = number < 0 && scaled > 0 ? "-" : ""
        return decimals == 0 ? sign + padded : sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    /// A number without a decimal point if it is an integer.
    static func plain(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? String(number)
    }

    /// 1 as "1st", 12 as "12th".
    public static func ordinal(_ number: Int) -> String {
        let suffix =
            switch (number % 100, number % 10) {
            case (11...13, _): "th"
            case (_, 1): "st"
            case (_, 2): "nd"
            case (_, 3): "rd"
            default: "th"
            }
        return "\(number)\(suffix)"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func scaled(_ number: Double, units: [String]) -> String {
        var value = number
        var unit = 0
        // 999.5 and more would be rounded to four digits.
        while value.magnitude >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let decimals =
            unit == 0 && value == value.rounded() || value.magnitude >= 99.95 ? 0 : value.magnitude >= 9.995 ? 1 : 2
        return fixed(value, decimals: decimals) + units[unit]
    }
}
