import KafkaWire

/// A field's value, with one generic case for all structures.
indirect enum FieldValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case uuid(UInt64, UInt64)
    case string(String)
    case bytes([UInt8])
    case array([FieldValue])
    case structure([String: FieldValue])

    /// A decoded message's values, by property name.
    init(reflecting value: Any) throws {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            guard let some = mirror.children.first else {
                self = .null
                return
            }
            try self.init(reflecting: some.value)
            return
        }
        switch value {
        case let value as Bool: self = .bool(value)
        case let value as any FixedWidthInteger & SignedInteger: self = .integer(Int64(value))
        case let value as KafkaUUID: self = .uuid(value.high, value.low)
        case let value as String: self = .string(value)
        case let value as ByteSlice: self = .bytes(Array(value))
        default:
            switch mirror.displayStyle {
            case .collection: self = .array(try mirror.children.map { try FieldValue(reflecting: $0.value) })
            case .struct:
                self = .structure(
                    try Dictionary(
                        uniqueKeysWithValues: mirror.children.map { child in
                            (child.label?.lowercased() ?? "", try FieldValue(reflecting: child.value))
                        }))
            default: throw DefinitionError("there is no field value for \(value)")
            }
        }
    }
}

extension RandomValues {
    /// A random value for each field that the version has, and the default for the others.
    mutating func structure(_ fields: [FieldDefinition], version: Int) throws -> FieldValue {
        var values: [String: FieldValue] = [:]
        for field in fields {
            values[field.name] = field.versions.contains(version) ? try value(field, version) : field.defaultValue
        }
        return .structure(values)
    }

    private mutating func value(_ field: FieldDefinition, _ version: Int) throws -> FieldValue {
        if field.nullableVersions?.contains(version) == true, chance(of: 4) { return .null }
        guard field.isArray else { return try element(field, version) }
        return .array(try (0..<Int(next() % 3)).map { _ in try element(field, version) })
    }

    private mutating func element(_ field: FieldDefinition, _ version: Int) throws -> FieldValue {
        switch field.type {
        case "bool": .bool(chance(of: 2))
        case "int8": .integer(Int64(Int8(truncatingIfNeeded: next())))
        case "int16": .integer(Int64(Int16(truncatingIfNeeded: next())))
        case "int32": .integer(Int64(Int32(truncatingIfNeeded: next())))
        case "int64": .integer(Int64(truncatingIfNeeded: next()))
        case "uuid": .uuid(next(), next())
        case "string": .string(text())
        case "bytes", "records": .bytes(bytes())
        default: try structure(field.fields, version: version)
        }
    }
}
