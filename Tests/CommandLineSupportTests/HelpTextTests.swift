import CommandLineSupport
import Testing

@Suite struct HelpTextTests {
    private func text(_ arguments: String...) throws -> String {
        switch try Sample.program.parse(arguments, environment: [:]) {
        case .text(let text): return text
        case .run: throw Failure("no text was asked for", status: .internalError)
        }
    }

    @Test func ofTheProgramNamesItsCommands() throws {
        let help = try text("--help")
        #expect(help.contains("sample 1.2.3"))
        for command in Sample.program.commands { #expect(help.contains("  \(command.name) ")) }
        #expect(try text("-h") == help)
        #expect(try text("help") == help)
        #expect(try text("--version") == "sample 1.2.3\n")
    }

    @Test func ofACommandShowsItsOptionsDefaultsVariablesAndStatuses() throws {
        let help = try text("run", "--topic", "a", "--help")
        #expect(try text("help", "run") == help)
        #expect(try text("run", "-h") == help)
        for option in Sample.run.options {
            #expect(help.contains("--\(option.name)"))
            #expect(help.contains(option.environmentName))
            #expect(help.contains(option.help))
        }
        #expect(help.contains("Default: 50ms."))
        #expect(help.contains("Default: 4."))
        #expect(help.contains("May be repeated."))
        for status in Sample.run.statuses { #expect(help.contains("\n  \(status.rawValue)")) }
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
