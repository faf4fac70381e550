using System.Text;
using System.Text.Json.Nodes;
using KvPareto.Engine.Checkpoints.Config;
using KvPareto.Engine.Model;
using KvPareto.Text.Input;

namespace KvPareto.Engine.Checkpoints;

/// <summary>A model's architecture in the words of <c>config.json</c>, for records that outlive its files.</summary>
public static class ArchitectureRecord
{
    /// <summary>What <c>config.json</c> would say; null where it has no words for the checkpoint.</summary>
    public static JsonObject? Of(Checkpoint checkpoint)
    {
        try
        {
            return ModelConfigWriter.Write(checkpoint);
        }
        catch (ConfigException)
        {
            return null;
        }
    }

    /// <summary>The shapes that a record describes; tensors of it cannot be read.</summary>
    /// <param name="file">The file that holds the record, for messages.</param>
    /// <param name="record">What <see cref="Of"/> gave.</param>
    /// <exception cref="ConfigException">It is no such record.</exception>
    public static Checkpoint Open(string file, JsonObject record) =>
        new ArchitectureCheckpoint(file, ModelConfigReader.Read(JsonSection.Of(file, Encoding.UTF8.GetBytes(record.ToJsonString()))));
}
