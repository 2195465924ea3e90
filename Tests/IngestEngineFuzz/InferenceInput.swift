import IngestEngine
import PGWire

/// The input of the proposal fuzzer: messages separated by the byte 0x1e. The first byte of each one selects its key.
struct InferenceInput {
    private let samples: [(key: [UInt8]?, value: [UInt8]?)]

    init(_ input: [UInt8]) {
        samples = input.split(separator: IngestFuzzer.separator, maxSplits: 7).map { message in
            let key = message.first.flatMap { $0 & 3 == 0 ? nil : [UInt8(ascii: "k"), $0 & 3] }
            return (key, Array(message.dropFirst()))
        }
    }

    /// - Returns: Whether a table was proposed.
    func run() throws -> Bool {
        let inference = Inference(topic: "t", messages: samples)
        guard !inference.kinds.isEmpty else { return false }
        let mapping = inference.mapping
        do {
            let again = try MappingFile.read(Array(mapping.yaml.utf8), named: "again.yaml")
            guard again == mapping else {
                throw IngestFuzzer.Finding(description: "the proposal changes when it is parsed:\n\(mapping.yaml)")
            }
        } catch let error as MappingError {
            throw IngestFuzzer.Finding(description: "the proposal can't be parsed: \(error)\n\(mapping.yaml)")
        }
        for kind in inference.kinds {
            for column in kind.columns where column.name.isEmpty || column.name.utf8.count > 63 {
                throw IngestFuzzer.Finding(description: "a column's name is \"\(column.name)\"")
            }
            let values = samples.filter { inference.kinds.count == 1 || $0.key.map(Self.text) == kind.key }
            try encode(values.compactMap(\.value), kind)
        }
        return true
    }

    /// Checks that a proposed table accepts its sample messages.
    private func encode(_ messages: [[UInt8]], _ kind: Inference.Kind) throws {
        let columns = kind.columns.map { column in
            RowPlan.Column(
                name: column.name, type: Self.type(column.type), source: .path(column.path), isNotNull: column.isNotNull
            )
        }
        guard !columns.isEmpty else { return }
        var encoder = try RowEncoder(RowPlan(columns: columns))
        var valid = MessageFields([JSONPath(steps: [.field("a")])])
        var rows = CopyBuffer()
        for message in messages where unsafe valid.read(message.span.bytes) == nil {
            let outcome = unsafe encoder.encode(
                value: message.span.bytes, key: nil, metadata: RecordMetadata(partition: 0, offset: 0), into: &rows)
            if case .rejected(let reason) = outcome {
                throw IngestFuzzer.Finding(
                    description: "the proposed table refuses a sample: \(reason)\n"
                        + "\(Self.text(message).debugDescription)\n\(kind)")
            }
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func type(_ type: InferredType) -> ColumnType {
        switch type {
        case .boolean: .bool
        case .integer: .int4
        case .bigint: .int8
        case .numeric: .numeric(nil)
        case .date: .date
        case .timestamp: .timestamp(precision: 6)
        case .timestamptz: .timestamptz(precision: 6)
        case .uuid: .uuid
        case .text: .text
        case .jsonb: .jsonb
        }
    }
}
