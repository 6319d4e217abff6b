import Glibc

let arguments = Array(CommandLine.arguments.dropFirst())
CommandLine.hidePasswords()
exit(CounterCommand.start(arguments))
