import TestSupport

/// Makes usual and hostile messages for the columns of ``ComparedColumn/all``.
struct MessageGenerator {
    var values: ValueGenerator
    private var series: MessageSeries?
    /// Bytes with a meaning in JSON, so that damaged messages are often nearly valid.
    private static let telling = Array("{}[]\":,0123456789-+.eE\\u tfn\n".utf8) + [0x00, 0x1f, 0x7f, 0x80, 0xc3, 0xff]

    init(seed: UInt64) { values = ValueGenerator(random: SeededRandom(seed: seed)) }

    mutating func message() -> [UInt8] {
        if let message = seriesMessage() { return message }
        if chance(100) { return Array(values.anything().utf8) }
        var fields: [String] = []
        // Few columns per message: a single invalid value makes the whole message fail.
        for _ in 0..<Int.random(in: 1...2, using: &values.random) {
            guard let column = ComparedColumn.all.randomElement(using: &values.random) else { continue }
            fields.append(field(column.name, values.value(for: column.family)))
            if chance(15) { fields.append(field(column.name, values.value(for: column.family))) }
        }
        if chance(4) { fields.append(field(values.word(), values.json(depth: 3))) }
        if chance(8) { fields.insert(field(values.word(), values.anything()), at: 0) }
        var message = Array(("{" + fields.joined(separator: "," + space()) + space() + "}" + space()).utf8)
        if chance(16) { damage(&message) }
        return message
    }

    /// A message of the same form as the previous one, sometimes with a single deviation; nil between series.
    private mutating func seriesMessage() -> [UInt8]? {
        if series == nil, chance(60) { series = MessageSeries(&values) }
        guard var current = series else { return nil }
        var message = Array(current.next(&values).utf8)
        series = current.isOver ? nil : current
        if chance(3) { deviate(&message) }
        return message
    }

    /// Changes, adds or removes one byte, or truncates the message.
    private mutating func deviate(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0..<bytes.count, using: &values.random)
        let byte = Self.telling.randomElement(using: &values.random) ?? 0
        switch Int.random(in: 0..<9, using: &values.random) {
        case 0...2: bytes[place] = byte
        case 3: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &values.random)
        case 4, 5: bytes.insert(byte, at: place)
        case 6: bytes.remove(at: place)
        case 7: bytes.append(byte)
        default: bytes.removeSubrange(place...)
        }
    }

    private mutating func field(_ name: String, _ value: String) -> String {
        var name = name
        if chance(20), let first = name.unicodeScalars.first {
            name = "\\u00" + String(first.value, radix: 16) + name.dropFirst()
        }
        return "\(space())\"\(name)\"\(space()):\(space())\(value)"
    }

    private mutating func space() -> String {
        chance(5) ? [" ", "\n", "\t ", "  \r\n"].randomElement(using: &values.random) ?? "" : ""
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        for _ in 0..<Int.random(in: 1...2, using: &values.random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &values.random)
            let byte = Self.telling.randomElement(using: &values.random) ?? 0
            switch Int.random(in: 0..<6, using: &values.random) {
            case 0: bytes[place] = byte
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &values.random)
            case 2: bytes.insert(byte, at: place)
            case 3: bytes.remove(at: place)
            case 4: bytes.removeSubrange(place...)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...20, using: &values.random))
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &values.random))
            }
        }
    }

    private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &values.random) == 0 }
}
