import PGWire

// Arrays from JSON arrays. A string in the syntax of array literals is left to the server.
extension FieldEncoder {
    /// The most dimensions that Postgres supports.
    private static let maximumDimensions = 6

    mutating func array(_ value: FieldValue, _ step: ColumnStep, to rows: inout CopyBuffer) -> Verdict {
        let elements = details.elements[Int(step.detail)]
        switch value.kind {
        case .array: break
        case .string:
            return elements.step.takesRelativeTimes && Self.isRelative(input(value)) ? .relativeTime : .server
        default: return .array
        }
        // There are no arrays of arrays, but an element's type may be a domain over an array.
        guard elements.step.operation != .array, elements.step.operation != .other else { return .server }
        guard let dimensions = Self.dimensions(value.view) else { return server(elements, value) }
        let mark = rows.beginArray(elementOID: elements.oid, dimensions: dimensions)
        guard dimensions > 0 else {
            rows.endArray(mark, lengths: [], hasNulls: false)
            return .done
        }
        var reader = ArrayReader(value.view, nesting: nesting, dimensions: dimensions)
        let verdict = append(&reader, elements.step, level: 0, to: &rows)
        if verdict == .server { return server(elements, value) }
        guard verdict == .done else { return verdict }
        rows.endArray(mark, lengths: reader.lengths, hasNulls: reader.hasNulls)
        return .done
    }

    /// Leaves an array to the server unless it has relative times.
    private mutating func server(_ elements: StepDetails.Elements, _ value: FieldValue) -> Verdict {
        guard elements.step.takesRelativeTimes else { return .server }
        return Self.isRelative(scratch.unescape(value.view)) ? .relativeTime : .server
    }

    /// The nesting depth at the first element: 0 for an empty array; nil for an empty array inside another, and for
    /// more dimensions than Postgres supports.
    private static func dimensions(_ text: ByteView) -> Int? {
        var dimensions = 0
        for index in 0..<text.count {
            switch text[index] {
            case UInt8(ascii: "["): dimensions += 1
            case 0x20, 0x0a, 0x0d, 0x09: break
            case UInt8(ascii: "]"): return dimensions == 1 ? 0 : nil
            default: return dimensions <= maximumDimensions ? dimensions : nil
            }
        }
        return nil
    }

    /// Appends the elements of the array at the reader's position.
    private mutating func append(
        _ reader: inout ArrayReader, _ step: ColumnStep, level: Int, to rows: inout CopyBuffer
    ) -> Verdict {
        var count = 0
        var result = Verdict.done
        var next = reader.skip(1)
        if next == UInt8(ascii: "]") {
            reader.position += 1
        } else {
            while true {
                let verdict: Verdict
                if level + 1 < reader.dimensions {
                    guard next == UInt8(ascii: "[") else { return .array }
                    verdict = append(&reader, step, level: level + 1, to: &rows)
                } else {
                    verdict = appendElement(&reader, step, to: &rows)
                }
                // Continue: a later element may be certainly wrong.
                if verdict == .server { result = .server } else if verdict != .done { return verdict }
                count += 1
                let separator = reader.skip(0)
                if separator == UInt8(ascii: "]") {
                    reader.position += 1
                    break
                }
                // Unreachable: the message was scanned before.
                guard separator == UInt8(ascii: ",") else { return .server }
                next = reader.skip(1)
            }
        }
        if reader.lengths[level] < 0 { reader.lengths[level] = count }
        return reader.lengths[level] == count ? result : .array
    }

    private mutating func appendElement(
        _ reader: inout ArrayReader, _ step: ColumnStep, to rows: inout CopyBuffer
    ) -> Verdict {
        var slot = JSONSlot()
        let end = reader.scanner.value(at: reader.position, into: &slot, depth: 0)
        guard end >= 0 else { return .server }
        reader.position = end
        if slot.kind == .null {
            reader.hasNulls = true
            rows.appendNull()
            return .done
        }
        let view = reader.scanner.text.slice(Int(slot.offset), Int(slot.length))
        return encode(FieldValue(view, slot), step, to: &rows)
    }
}

/// Reads the text of an array from start to end.
private struct ArrayReader {
    var scanner: JSONScanner
    var position = 0
    let dimensions: Int
    /// The length of each dimension, the outermost first; -1 until the first array of that dimension has ended.
    var lengths: [Int]
    var hasNulls = false

    init(_ text: ByteView, nesting: NestingBits, dimensions: Int) {
        scanner = JSONScanner(text, nesting: nesting)
        self.dimensions = dimensions
        lengths = Array(repeating: -1, count: dimensions)
    }

    /// Skips some bytes and the white space after them, and returns the next byte.
    mutating func skip(_ count: Int) -> UInt8 {
        position = scanner.skipSpace(position + count)
        return scanner.text.byte(orZero: position)
    }
}
