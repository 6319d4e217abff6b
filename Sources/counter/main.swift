import Glibc

let arguments = ProgramArguments.texts
ProgramArguments.hidePasswords()
exit(CounterCommand.start(arguments))
