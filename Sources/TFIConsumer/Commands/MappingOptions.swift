import CommandLineSupport
import Concurrency
import Dispatch
import Foundation
import IngestEngine
import PGWire

/// The options that define which messages become which rows.
enum MappingOptions {
    static let mapping = Option(
        repeated: "mapping", .string, placeholder: "FILE",
        help: "A YAML file that maps messages to tables; may be repeated. Default: --table, or the plant's mapping.")
    static let table = Option(
        optional: "table", .table,
        help: "The table for the messages of --topic. Its columns have the names of the fields.")

    static let plant = Option(
        optional: "plant", .plantName,
        help: "The plant, if the schema has several: names of its tables and views begin with NAME and an underscore.")

    static let all: [any OptionDeclaration] = [mapping, table, plant]

    /// Whether the options name no mapping, so that the plant's is used.
    static func isBuiltIn(_ options: ParsedOptions) -> Bool { options[mapping].isEmpty && options[table] == nil }

    /// Reads the mappings that the options name: the files, or `--topic` and `--table`, or the plant's.
    static func read(_ options: ParsedOptions) async throws -> [IngestPlan.Source] {
        try options.checkExclusive(mapping, table, plant)
        let files = options[mapping]
        if !files.isEmpty {
            try options.checkExclusive(mapping, CommonOptions.topic)
            var sources: [IngestPlan.Source] = []
            for file in files { sources.append(IngestPlan.Source(file: file, mapping: try await read(file))) }
            return sources
        }
        let topic = options[CommonOptions.topic]
        guard let table = options[table] else {
            return [
                IngestPlan.Source(
                    file: "",
                    mapping: PlantMapping.mapping(
                        topic: topic, schema: options[ConsumerOptions.schema], plant: options[plant]))
            ]
        }
        return [IngestPlan.Source(file: "", mapping: Mapping(routes: [Route(topic: .name(topic), table: table)]))]
    }

    /// - Throws: `Failure` if the file cannot be read or is not a mapping.
    private static func read(_ file: String) async throws(Failure) -> Mapping {
        let queue = DispatchQueue(label: "mapping file")
        let read: Result<Data, any Error> = await queue.value(of: {
            Result {
                let handle = try FileHandle(forReadingFrom: URL(filePath: file))
                defer { try? handle.close() }
                // More than a mapping may have, so that the parser reports its size.
                return try handle.read(upToCount: 8 << 20) ?? Data()
            }
        })
        let bytes: [UInt8]
        switch read {
        case .success(let data): bytes = Array(data)
        case .failure(let error):
            throw Failure(
                "cannot read the mapping \(ShownArgument.name(file)): \(error.localizedDescription)", status: .noInput
            )
        }
        do throws(MappingError) {
            return try MappingFile.read(bytes, named: file)
        } catch {
            throw Failure(error.description, status: .badData)
        }
    }
}

extension ValueFormat<PlantName> {
    static let plantName = ValueFormat(
        placeholder: "NAME",
        expectation: "1 to \(PlantName.longest) lower-case letters, digits and underscores, beginning with a letter",
        parse: { PlantName($0) }, format: { $0.text })
}

extension ValueFormat<TableName> {
    /// A table's name, with or without its schema.
    static let table = ValueFormat(
        placeholder: "SCHEMA.TABLE", expectation: "a table's name, as TABLE or SCHEMA.TABLE",
        // An address is a mistake, and may hold a password.
        parse: { ShownArgument.isAddress($0) ? nil : (try? Mapping(topic: "any", table: $0))?.routes.first?.table },
        format: { $0.text })
}
