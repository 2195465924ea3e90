import PGWire

// Text, bytes, JSON, and types that are recognised by their letters.
extension FieldEncoder {
    /// `text`, `varchar(n)` and `char(n)`.
    @inline(never)
    mutating func text(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        if value.isForeign, !value.view.isStorableText { return .encoding }
        guard step.operation == .limitedText else {
            if value.slot.hasEscapes {
                unsafe rows.appendField(atMost: value.view.count) { target in
                    unsafe JSONText.unescape(value.view, to: target)
                }
            } else {
                append(value.view, to: &rows)
            }
            return .done
        }
        let text = input(value)
        // The server pads or truncates trailing blanks. Any other text that is too long would fail the whole COPY.
        guard text.count <= Int(step.limit) || Self.isWithin(text, characters: Int(step.limit)) else { return .tooLong }
        append(text, to: &rows)
        return .done
    }

    /// Whether only blanks follow the first `limit` characters.
    private static func isWithin(_ text: ByteView, characters limit: Int) -> Bool {
        var count = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte & 0xc0 == 0x80 { continue }
            count &+= 1
            if count > limit, byte != UInt8(ascii: " ") { return false }
        }
        return true
    }

    /// `bytea` in the form of its input function: `\x` and hexadecimal digits, or literal characters.
    mutating func bytea(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        if value.isForeign {
            append(value.view, to: &rows)
            return .done
        }
        let text = input(value)
        if text.count >= 2, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") {
            return appendHex(text.slice(2, text.count &- 2), to: &rows) ? .done : .server
        }
        if text.contains(UInt8(ascii: "\\")) { return .server }
        append(text, to: &rows)
        return .done
    }

    /// `bytea` in base64 or hexadecimal digits.
    mutating func encodedBytes(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        if value.isForeign {
            append(value.view, to: &rows)
            return .done
        }
        guard value.kind == .string else { return .syntax }
        let text = input(value)
        switch details.byteFormats[Int(step.detail)] {
        case .hex: return appendHex(text, to: &rows) ? .done : .syntax
        case .base64:
            let isValid = unsafe rows.appendField(atMost: text.count) { target in unsafe Base64.decode(text, to: target)
            }
            return isValid ? .done : .syntax
        }
    }

    private func appendHex(_ text: ByteView, to rows: inout CopyBuffer) -> Bool {
        unsafe rows.appendField(atMost: text.count / 2) { target in unsafe HexDigits.decode(text, to: target) }
    }

    // MARK: JSON

    mutating func json(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        let version: UInt8? = step.operation == .jsonb ? 1 : nil
        if value.isForeign {
            // Any JSON, unchanged.
            var scanner = JSONScanner(value.view, nesting: nesting)
            var slot = JSONSlot()
            let end = scanner.value(at: scanner.skipSpace(0), into: &slot, depth: 0)
            guard end >= 0, scanner.skipSpace(end) == value.view.count, !scanner.hasNonASCII || value.view.isUTF8
            else { return .syntax }
            guard !scanner.isUnusual else { return .server }
            append(value.view, version: version, to: &rows)
            return .done
        }
        if isUnusual { return .server }
        guard value.kind == .string else {
            append(value.view, version: version, to: &rows)
            return .done
        }
        if value.slot.hasEscapes, version == nil {
            // The server chooses the escapes of `json`, regardless of the message's.
            let text = scratch.unescape(value.view)
            unsafe rows.appendField(atMost: text.count * 6 + 2) { target in unsafe JSONText.escape(text, to: target) }
            return .done
        }
        let extra = version == nil ? 0 : 1
        unsafe rows.appendField(atMost: value.view.count &+ 2 &+ extra) { target in
            func put(_ byte: UInt8, _ offset: Int) {
                unsafe target.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
            }
            if let version { put(version, 0) }
            put(UInt8(ascii: "\""), extra)
            unsafe value.view.copy(to: target + extra + 1)
            put(UInt8(ascii: "\""), extra &+ 1 &+ value.view.count)
            return value.view.count &+ 2 &+ extra
        }
        return .done
    }

    private func append(_ view: ByteView, version: UInt8?, to rows: inout CopyBuffer) {
        let extra = version == nil ? 0 : 1
        unsafe rows.appendField(atMost: view.count &+ extra) { target in
            if let version { unsafe target.storeBytes(of: version, as: UInt8.self) }
            unsafe view.copy(to: target + extra)
            return view.count &+ extra
        }
    }

    // MARK: Other types

    mutating func uuid(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        let text = input(value)
        if text.count == 36,
            unsafe rows.appendField(atMost: 16, { target in unsafe HexDigits.decodeUUID(text, to: target) })
        {
            return .done
        }
        return Self.mayBeUUID(text) ? .server : .syntax
    }

    /// Whether the text may be another form of the 32 digits.
    private static func mayBeUUID(_ text: ByteView) -> Bool {
        var digits = 0
        for index in 0..<text.count {
            let byte = text[index]
            if JSONText.hexValue(byte) != nil {
                digits += 1
            } else if byte != UInt8(ascii: "-"), byte != UInt8(ascii: "{"), byte != UInt8(ascii: "}") {
                return false
            }
        }
        return digits == 32
    }

    /// An IPv4 address with or without a prefix length. All other forms are left to the server.
    mutating func inet(_ value: FieldValue, to rows: inout CopyBuffer) -> Verdict {
        guard value.kind == .string else { return value.kind == .number ? .server : .syntax }
        let text = input(value)
        var parts: UInt32 = 0
        var index = 0
        /// Reads a number without leading zeros; nil if there is none or it exceeds the limit.
        func number(upTo limit: UInt32) -> UInt32? {
            let start = index
            var number: UInt32 = 0
            while index < text.count, index < start + 4 {
                let digit = text[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { break }
                number = number * 10 + UInt32(digit)
                index += 1
            }
            guard index > start, number <= limit, index == start + 1 || text[start] != UInt8(ascii: "0")
            else { return nil }
            return number
        }
        for part in 0..<4 {
            if part > 0 {
                guard text.byte(orZero: index) == UInt8(ascii: ".") else { return .server }
                index += 1
            }
            guard let byte = number(upTo: 255) else { return .server }
            parts = parts << 8 | byte
        }
        var bits: UInt32 = 32
        if text.byte(orZero: index) == UInt8(ascii: "/") {
            index += 1
            guard let length = number(upTo: 32) else { return .server }
            bits = length
        }
        guard index == text.count else { return .server }
        unsafe rows.appendField(atMost: 8) { target in
            // The address family of IPv4, the prefix length, 0 for "not a cidr", and four address bytes.
            let head = 2 << 24 | bits << 16 | 4
            unsafe target.storeBytes(of: head.bigEndian, as: UInt32.self)
            unsafe target.storeBytes(of: parts.bigEndian, toByteOffset: 4, as: UInt32.self)
            return 8
        }
        return .done
    }

    mutating func enumeration(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        let text = input(value)
        guard details.hasLabel(text, Int(step.detail)) else { return .syntax }
        append(text, to: &rows)
        return .done
    }
}
