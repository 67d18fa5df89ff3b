import { server } from "@/lib/auth";
import { bounded } from "@/lib/bounded";

async function handle(request: Request): Promise<Response> {
  const accepted = await bounded(request);
  return accepted instanceof Response ? accepted : server().auth.handler(accepted);
}

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT };
