extension Duration {
    /// Milliseconds as the protocol has them; what is longer than they can tell is the longest that they can.
    package var asMilliseconds: Int32 { Int32(clamping: wholeMilliseconds) }

    /// Milliseconds without their fraction; what is longer than they can tell is the longest that they can.
    var wholeMilliseconds: Int64 {
        // The standard library has room for more seconds than its own `components` do.
        guard self < .seconds(Int64.max / 1000) else { return .max }
        guard self > .seconds(Int64.min / 1000) else { return .min }
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
