import CommandLineSupport
import IngestEngine

/// `tfi-consumer mapping`: prints the mapping of the plant's messages.
enum MappingCommand {
    static let command = Command(
        name: "mapping", abstract: "Prints the mapping of the plant's messages as YAML.",
        discussion: [
            "Use it as a template for your own mapping. A mapping says which messages of a topic become "
                + "rows of which table."
        ],
        options: [CommonOptions.topic, ConsumerOptions.schema, MappingOptions.plant], statuses: [.success, .usage]
    ) { options in
        let mapping = PlantMapping.mapping(
            topic: options[CommonOptions.topic], schema: options[ConsumerOptions.schema],
            plant: options[MappingOptions.plant])
        try await Output.standard.write(mapping.yaml)
    }
}
