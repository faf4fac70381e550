using KvPareto.Cli;
using KvPareto.Cli.Terminal;

return KvParetoCommand.Run(args, CommandContext.System());
