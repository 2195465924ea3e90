/// Compares a decoded message with the sent one, by the definition's fields.
struct FieldComparison {
    /// The supported versions. Fields of other versions have no property.
    let versions: ClosedRange<Int>
    /// Whether a property without a field in the definition is a mistake. false if the definition is of an earlier
    /// release.
    let isComplete: Bool

    /// The first difference and its path; nil if there is none.
    func difference(_ found: FieldValue, _ sent: FieldValue, _ fields: [FieldDefinition]) -> String? {
        structure(found, sent, fields, "")
    }

    private func structure(
        _ found: FieldValue, _ sent: FieldValue, _ fields: [FieldDefinition], _ place: String
    ) -> String? {
        guard case .structure(let found) = found, case .structure(let sent) = sent else {
            return "\(place) is \(found), not \(sent)"
        }
        let spoken = fields.filter { $0.versions.overlaps(versions) }
        if isComplete, let name = Set(found.keys).subtracting(spoken.map(\.name)).sorted().first {
            return "\(place).\(name) has no field in the definition"
        }
        for field in spoken {
            guard let value = found[field.name] else { return "\(place).\(field.name) has no property" }
            if let difference = self.field(value, sent[field.name], field, "\(place).\(field.name)") {
                return difference
            }
        }
        return nil
    }

    private func field(
        _ found: FieldValue, _ sent: FieldValue?, _ field: FieldDefinition, _ place: String
    ) -> String? {
        switch (found, sent) {
        case (.structure, .structure(let values)):
            return structure(found, .structure(values), field.fields, place)
        case (.array(let elements), .array(let others)) where !field.fields.isEmpty && elements.count == others.count:
            for (index, pair) in zip(elements, others).enumerated() {
                if let difference = structure(pair.0, pair.1, field.fields, "\(place)[\(index)]") {
                    return difference
                }
            }
            return nil
        default: return found == sent ? nil : "\(place) is \(found), not \(sent, default: "missing")"
        }
    }
}
