/// Builds a ``RowForm`` from a message's form.
///
/// It must be possible to know each value's place in the row: either the values come in column order, or all of them
/// have a fixed size. Other messages have no row form.
struct RowFormBuilder {
    private var steps: [RowForm.Step] = []
    /// The literal text before each step's value.
    private var texts: [[UInt8]] = []
    /// The offset of each column's length field in a row whose values have their ``RowForm/Operation/size``.
    private var places: [Int] = []
    private var rowSize = 0

    /// The row form of a message; one that matches no message if only the general path can encode it.
    static func form(
        _ template: borrowing MessageTemplate, _ columns: borrowing ColumnSteps, nesting: NestingBits
    ) -> RowForm {
        var builder = RowFormBuilder()
        guard template.isUsable, template.valueCount > 0, builder.add(template, columns) else {
            return RowForm(nesting: nesting)
        }
        let last = unsafe Array(template.lastText.bytes)
        return RowForm(
            builder.steps, texts: builder.texts + [last], columnCount: columns.count, rowSize: builder.rowSize,
            nesting: nesting)
    }

    private mutating func add(_ template: borrowing MessageTemplate, _ columns: borrowing ColumnSteps) -> Bool {
        var columnOfSlot: [Int32: Int] = [:]
        for index in 0..<columns.count where columns[index].source == .path {
            // Two columns with the same path are rare.
            guard columnOfSlot.updateValue(index, forKey: columns[index].slot) == nil else { return false }
        }
        var columnOfValue: [Int] = []
        for index in 0..<template.valueCount {
            let slot = template.value(index).slot
            guard let column = slot < 0 ? -1 : columnOfSlot[slot] else { return false }
            columnOfValue.append(column)
        }
        let taken = columnOfValue.filter { $0 >= 0 }
        // Of two fields with the same name the last one would win.
        guard Set(taken).count == taken.count else { return false }
        let isOrdered = taken == taken.sorted()
        guard let operations = operations(columns, Set(taken)),
            isOrdered || !operations.contains(where: \.isVariable)
        else { return false }
        for operation in operations {
            places.append(rowSize)
            rowSize += 4 + operation.size
        }
        // A column without a value in the message comes before the next column's value.
        var next = 0
        func addOthers(before end: Int) {
            while next < end {
                if !taken.contains(next) {
                    steps.append(RowForm.Step(operation: operations[next], place: Int32(places[next])))
                    texts.append([])
                }
                next += 1
            }
        }
        if !isOrdered { addOthers(before: columns.count) }
        for (index, column) in columnOfValue.enumerated() {
            var step = RowForm.Step(operation: .skip, depth: template.value(index).depth)
            if column >= 0 {
                if isOrdered { addOthers(before: column) }
                step.operation = operations[column]
                step.column = columns[column]
                step.place = Int32(places[column])
                step.takesNull = isOrdered && !columns[column].isNotNull && columns[column].fallback < 0
            }
            steps.append(step)
            texts.append(unsafe Array(template.text(before: index).bytes))
        }
        addOthers(before: columns.count)
        return true
    }

    /// The operation of each column; nil if one needs the general path.
    private func operations(_ columns: borrowing ColumnSteps, _ taken: Set<Int>) -> [RowForm.Operation]? {
        var operations: [RowForm.Operation] = []
        for index in 0..<columns.count {
            let column = columns[index]
            let operation: RowForm.Operation? =
                switch (column.source, column.operation) {
                case (.path, _) where taken.contains(index): RowForm.Operation(column.operation)
                case (.path, _): column.isNotNull || column.fallback >= 0 ? nil : .null
                case (.offset, .int8): .offset
                case (.partition, .int4): .partition4
                case (.partition, .int8): .partition8
                default: nil
                }
            guard let operation else { return nil }
            operations.append(operation)
        }
        return operations
    }
}
