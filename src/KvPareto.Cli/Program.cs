using KvPareto.Cli;

return KvParetoCommand.Run(args, CommandContext.System());
