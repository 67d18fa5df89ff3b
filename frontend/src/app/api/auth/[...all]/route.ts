import { server } from "@/lib/auth";
import { checkBody } from "@/lib/request-body";

async function handle(request: Request): Promise<Response> {
  const checked = await checkBody(request);
  return checked instanceof Response ? checked : server().auth.handler(checked);
}

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT };
